// One instance: a session on an executor thread, told by messages. The session may be made anew, on the same thread when that
// died or on another one, and the instance is the same to those who run batches on it.

import { RuntimeError, bug } from '../core/errors.js';
import type { BatchFeed, BatchResult, WarmUpBatch } from '../scheduler/batch-runner.js';
import type {
  BindInput,
  LoadInput,
  LoadOutput,
  RunOutput,
  WorkerInput,
  WorkerOutput,
} from '../worker/protocol.js';
import { ask, unexpected } from './ask-thread.js';
import { BatchPace, type Pace } from './batch-pace.js';
import {
  ThreadDied,
  type ExecutorThread,
  type ThreadTenant,
  type ThreadWaiter,
} from './executor-thread.js';
import type { ExecutorThreads } from './executor-threads.js';
import type { ResourceClaim, ResourceWaiter } from './rate-limiter.js';

export type SessionInput = Omit<LoadInput, 'kind' | 'session'>;
export type BindingInput = Omit<BindInput, 'kind' | 'session'>;

/** What the instance tells of; nothing may be asked of the thread before the next turn of the event loop. */
export interface InstanceKeeper {
  /** Its session is gone. */
  instanceLost(instance: ModelInstance): void;
  /** Its thread died while it ran a batch of this instance. */
  instanceEndedThread(error: ThreadDied): void;
  /** It has gone to another thread. */
  instanceMoved(): void;
}

export class ModelInstance implements ThreadTenant {
  readonly #threads: ExecutorThreads;
  readonly #keeper: InstanceKeeper;
  readonly #input: SessionInput;
  /** Rejects when another session would not be of the same files. */
  readonly #verify: (() => Promise<void>) | undefined;
  readonly #pace = new BatchPace();
  /** It is there, and no batch goes to it. */
  readonly isPassive: boolean;
  /** To the resources that it shares with other instances; undefined: nothing is limited. */
  claim: ResourceClaim | undefined;
  #thread: ExecutorThread;
  #session: number;
  /** The session is there and bound. */
  #isMade = false;
  #isClosed = false;
  #canMove = true;
  #binding: BindingInput | undefined;
  #warmUp: readonly WarmUpBatch[] = [];

  constructor(
    threads: ExecutorThreads,
    place: {
      readonly input: SessionInput;
      readonly siblings: readonly ModelInstance[];
      readonly verify: (() => Promise<void>) | undefined;
      readonly isPassive?: boolean | undefined;
    },
    keeper: InstanceKeeper,
  ) {
    this.#threads = threads;
    this.#keeper = keeper;
    this.#input = place.input;
    this.#verify = place.verify;
    this.isPassive = place.isPassive ?? false;
    this.#thread = threads.join(this, place.siblings);
    this.#session = threads.newSessionId();
  }

  get thread(): ExecutorThread {
    return this.#thread;
  }

  /** Two instances of a model with equal inputs may stand for each other. */
  get input(): SessionInput {
    return this.#input;
  }

  get pace(): Pace {
    return this.#pace.pace;
  }

  get canMove(): boolean {
    return this.#canMove && this.#isMade;
  }

  get isLost(): boolean {
    return !this.#isMade;
  }

  /** A batch would start at once. */
  get idle(): boolean {
    return this.#isMade && !this.#thread.busy && (this.claim === undefined || this.claim.isFree);
  }

  /** `waiter` is told when the thread, or what else it waits for, is free. */
  awaitIdle(waiter: ThreadWaiter & ResourceWaiter): void {
    this.#thread.await(waiter);
    if (this.claim && this.#isMade && !this.#thread.busy) this.claim.await(waiter);
  }

  load(): Promise<LoadOutput> {
    return ask(this.#thread, { kind: 'load', session: this.#session, ...this.#input }, 'load');
  }

  /** From now on it can run. */
  async bind(binding: BindingInput): Promise<void> {
    await ask(this.#thread, { kind: 'bind', session: this.#session, ...binding }, 'done');
    this.#binding = binding;
    this.#isMade = true;
  }

  /** Runs these batches now, and again whenever the session is made anew. Returns what the runs took. */
  async warmUp(batches: readonly WarmUpBatch[]): Promise<BatchResult[]> {
    const results = await warmUp(this.#thread, this.#session, batches);
    this.#warmUp = batches;
    return results;
  }

  async run({ buffer, tensors: inputs }: BatchFeed): Promise<BatchResult> {
    const input: WorkerInput = { kind: 'run', session: this.#session, buffer, inputs };
    const { claim } = this;
    claim?.take();
    let output: WorkerOutput;
    try {
      output = await this.#thread.run(input);
    } catch (error) {
      if (error instanceof ThreadDied) this.#keeper.instanceEndedThread(error);
      throw error;
    } finally {
      claim?.giveBack();
    }
    if (output.kind !== 'run') throw unexpected(input, output);
    if (this.#pace.add(batchMs(output))) this.#threads.paceChanged();
    return output;
  }

  threadLost(thread: ExecutorThread): void {
    if (thread !== this.#thread || !this.#isMade) return;
    this.#isMade = false;
    if (!this.#isClosed) this.#keeper.instanceLost(this);
  }

  /** Makes the session anew after it was lost. @throws RuntimeError; ThreadDied when the thread died of that */
  async restart(): Promise<void> {
    const session = await this.#make(this.#thread);
    if (this.#isClosed) await this.#freeOrTell(this.#thread, session);
    else this.#use(this.#thread, session);
    this.#threads.paceChanged();
  }

  async moveTo(thread: ExecutorThread): Promise<void> {
    thread.tenants.add(this);
    let session: number;
    try {
      session = await this.#make(thread);
    } catch (error) {
      // It stays where it is: others wait for it, or it for them, but it serves. A thread that died may have died of others.
      this.#canMove = RuntimeError.from(error).code === 'BACKEND_LOST';
      this.#threads.leave(this, thread);
      this.#threads.trouble(notMoved(this.#input.modelPath, this.#canMove, error));
      return;
    }
    const [before, old] = [this.#thread, this.#session];
    if (!this.#isMade) {
      // Lost or closed meanwhile.
      this.#threads.leave(this, thread);
      await this.#freeOrTell(thread, session);
      return;
    }
    this.#use(thread, session);
    this.#threads.leave(this, before);
    this.#keeper.instanceMoved();
    await this.#freeOrTell(before, old);
  }

  /** Waits for what runs, then frees the session. */
  async release(): Promise<void> {
    this.#isClosed = true;
    this.#isMade = false;
    this.claim?.leave();
    try {
      await this.#free(this.#thread, this.#session);
    } finally {
      this.#threads.leave(this, this.#thread);
    }
  }

  /** As release, where nobody waits for it: what goes wrong is told. */
  async leave(): Promise<void> {
    try {
      await this.release();
    } catch (error) {
      this.#threads.trouble(error);
    }
  }

  // ---- details below; callers need not read ----

  /** A second session of this instance, ready to run. */
  async #make(thread: ExecutorThread): Promise<number> {
    if (!this.#binding) throw bug('an instance was made anew before it was whole');
    const session = this.#threads.newSessionId();
    await this.#verify?.();
    await ask(thread, { kind: 'load', session, ...this.#input }, 'load');
    try {
      await ask(thread, { kind: 'bind', session, ...this.#binding }, 'done');
      await warmUp(thread, session, this.#warmUp);
      await this.#verify?.();
    } catch (error) {
      await this.#freeOrTell(thread, session);
      throw error;
    }
    return session;
  }

  /** A thread that died has freed what it held. */
  async #free(thread: ExecutorThread, session: number): Promise<void> {
    try {
      await ask(thread, { kind: 'release', session }, 'done');
    } catch (error) {
      if (!(error instanceof ThreadDied)) throw error;
    }
    this.#threads.sessionReleased(thread);
  }

  async #freeOrTell(thread: ExecutorThread, session: number): Promise<void> {
    try {
      await this.#free(thread, session);
    } catch (error) {
      this.#threads.trouble(error);
    }
  }

  #use(thread: ExecutorThread, session: number): void {
    this.#thread = thread;
    this.#session = session;
    this.#isMade = true;
    this.#pace.newSession();
  }
}

// ---- details below; callers need not read ----

function notMoved(modelPath: string, isTriedAgain: boolean, thrown: unknown): RuntimeError {
  const { code, message } = RuntimeError.from(thrown);
  const then = isTriedAgain ? 'it will be tried again' : 'it stays where it is, for good';
  const text = `an instance of ${modelPath} could not be moved to another thread, ${then}: ${message}`;
  return new RuntimeError(code, text, { cause: thrown });
}

async function warmUp(
  thread: ExecutorThread,
  session: number,
  batches: readonly WarmUpBatch[],
): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  for (const { name, feed } of batches) {
    const { buffer, tensors: inputs } = feed();
    try {
      results.push(await ask(thread, { kind: 'run', session, buffer, inputs }, 'run'));
    } catch (thrown) {
      if (thrown instanceof ThreadDied) throw thrown;
      const { code, message } = RuntimeError.from(thrown);
      throw new RuntimeError(code, `failed to run warmup sample '${name}': ${message}`);
    }
  }
  return results;
}

function batchMs({ inputMs, inferMs, outputMs }: RunOutput): number {
  return inputMs + inferMs + outputMs;
}
