// The only request of a batch of a decoupled model, as a stream of answers: its thread is told when the caller has gone, and how far he
// has read.

import type { CancelListener } from '../core/call.js';
import type { ScriptTask } from './script-task.js';
import type { ScriptThread } from './script-thread.js';
import { StreamPace } from './stream-pace.js';

/** `slotFree` is told when its reader holds the stream up. */
export function followStream(task: ScriptTask, thread: ScriptThread, slotFree: () => void): void {
  const { id, batch } = task;
  const call = batch?.entries[0]?.call;
  call?.onCancel(new StreamCancel(thread, id));
  task.pace = new StreamPace({
    task,
    reader: call?.pace,
    taken: (share) => thread.say({ kind: 'taken', task: id, share }),
    slotFree,
  });
}

// ---- details below; callers need not read ----

class StreamCancel implements CancelListener {
  readonly #thread: ScriptThread;
  readonly #task: number;

  constructor(thread: ScriptThread, task: number) {
    this.#thread = thread;
    this.#task = task;
  }

  callCancelled(): void {
    this.#thread.say({ kind: 'cancel', task: this.#task });
  }
}
