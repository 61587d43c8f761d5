// The bare loop over ONNX Runtime (ort-loop.ts), seen from the benchmark.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Work } from '../works/work.js';

const LOOP = fileURLToPath(new URL('./ort-loop.js', import.meta.url));

/** Asked of the loop: inputs of these shapes, each so many times. */
export interface OrtBatches {
  readonly shapes: readonly { readonly shape: readonly number[]; readonly times: number }[];
}

export interface OrtTime {
  readonly ms: number;
}

/** How often batches of which size were executed. */
export type BatchCounts = ReadonlyMap<number, number>;

export class OrtProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #work: Work;

  static async start(work: Work, modelFile: string): Promise<OrtProcess> {
    const child = fork(LOOP, [modelFile, work.input, work.output]);
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    await messageFrom(child);
    return new OrtProcess(child, work);
  }

  private constructor(child: ChildProcess, work: Work) {
    this.#child = child;
    this.#work = work;
    this.pid = child.pid!;
  }

  /** Rows per second while it executes these batches. */
  async rowsPerSecond(batches: BatchCounts): Promise<number> {
    const { inputShape, maxBatchSize } = this.#work;
    let rows = 0;
    const shapes = [...batches].map(([size, times]) => {
      rows += size * times;
      return { shape: maxBatchSize > 0 ? [size, ...inputShape] : inputShape, times };
    });
    this.#child.send({ shapes } satisfies OrtBatches);
    const { ms } = (await messageFrom(this.#child)) as OrtTime;
    return rows / (ms / 1000);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

async function messageFrom(child: ChildProcess): Promise<unknown> {
  const abort = new AbortController();
  const ended = once(child, 'close', { signal: abort.signal }).then(() => {
    throw new Error('the loop over ONNX Runtime has ended');
  });
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: abort.signal }),
      ended,
    ])) as [unknown];
    return message;
  } finally {
    ended.catch(() => undefined);
    abort.abort();
  }
}
