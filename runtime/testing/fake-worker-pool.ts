// Executor threads whose workers live in the test: they answer as it says, hold what a worker holds, and die when they are told.

import type { WorkerInput, WorkerOutput } from '../worker/protocol.js';

export type WorkerAnswer = (input: WorkerInput) => WorkerOutput | Promise<WorkerOutput>;

/** What a Piscina of one worker does, as far as ExecutorThread sees it. Stands in for it by vi.mock('piscina'). */
export class FakeWorkerPool {
  static made: FakeWorkerPool[] = [];
  readonly threads = [{}];
  readonly inputs: WorkerInput[] = [];
  readonly sessions = new Set<number>();
  answer: WorkerAnswer = usualAnswer;
  readonly #listeners = new Map<string, (argument?: unknown) => void>();
  #kill: (error: Error) => void = () => undefined;
  #death = this.#alive();

  constructor() {
    FakeWorkerPool.made.push(this);
  }

  on(event: string, listener: (argument?: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  async run(input: WorkerInput): Promise<WorkerOutput> {
    this.inputs.push(input);
    return Promise.race([this.#handle(input), this.#death]);
  }

  /** The worker ends; a new one that holds nothing takes its place. */
  die(message = 'worker exited with code: 1'): void {
    const kill = this.#kill;
    this.sessions.clear();
    this.#listeners.get('workerDestroy')?.();
    this.#death = this.#alive();
    kill(new Error(message));
  }

  kinds(): string[] {
    return this.inputs.map(({ kind }) => kind);
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }

  #alive(): Promise<never> {
    const death = new Promise<never>((_resolve, reject) => (this.#kill = reject));
    death.catch(() => undefined);
    return death;
  }

  async #handle(input: WorkerInput): Promise<WorkerOutput> {
    const needed = input.kind === 'run' || input.kind === 'bind' ? input.session : undefined;
    if (needed !== undefined && !this.sessions.has(needed))
      return { kind: 'error', code: 'BACKEND_LOST', message: 'no such session' };
    const output = await this.answer(input);
    if (input.kind === 'release') this.sessions.delete(input.session);
    if (input.kind === 'load' && output.kind === 'load') this.sessions.add(input.session);
    return output;
  }
}

export function usualAnswer({ kind }: WorkerInput): WorkerOutput {
  if (kind === 'load')
    return { kind: 'load', inputs: [], outputs: [], provider: 'cpu', refusals: [] };
  return kind === 'run' ? ranFor(1) : { kind: 'done' };
}

export function ranFor(inferMs: number): WorkerOutput {
  return { kind: 'run', outputs: [], inputMs: 0, inferMs, outputMs: 0 };
}
