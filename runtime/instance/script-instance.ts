// One instance of a model written in TypeScript: a thread of its own that runs up to `concurrency` batches at once, not counting
// those that wait for other models: who waits must not keep what he waits for from running. A thread that dies is replaced.

import type { Clock } from '../core/clock.js';
import type { MetricUpdate } from '../core/custom-metrics.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { OtherModels } from '../core/other-models.js';
import { unpackTensors } from '../core/packed-tensors.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { BoundInstance, ScriptBatch, ScriptResult } from '../scheduler/script-runner.js';
import type { ScriptOutput, ScriptToLoad } from '../worker/script-protocol.js';
import { ThreadDied } from './executor-thread.js';
import type { ResourceClaim } from './rate-limiter.js';
import { executeInput, resultOf, streamResult, type ExecuteInput } from './script-messages.js';
import { nestedAnswer, type NestedAsk } from './script-nested.js';
import { ScriptResources } from './script-resources.js';
import { followStream } from './script-stream.js';
import { ScriptTask } from './script-task.js';
import { ScriptThread, type ScriptThreadListener } from './script-thread.js';

export interface ScriptLimits {
  /** Batches that one instance runs at once. */
  readonly concurrency: number;
  /** Longest time for `execute`, or until the next answer of a stream. */
  readonly executionMs: number;
  /** Longest time for evaluating the module and for `initialize`. */
  readonly initializationMs: number;
  readonly heapMb: number;
}

export interface ScriptInstanceParts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly script: ScriptToLoad;
  readonly limits: ScriptLimits;
  readonly others: OtherModels;
  readonly logged: (line: Extract<ScriptOutput, { kind: 'log' }>) => void;
  readonly measured: (updates: readonly MetricUpdate[]) => void;
  /** "TypeError: … (model.ts:3:7)", of whatever was thrown. */
  readonly describe: (thrown: unknown) => string;
}

/** What the instance tells of. */
export interface ScriptKeeper {
  /** It may run another batch. */
  slotFree(): void;
  /** Somebody waits for that. */
  awaitIdle(): void;
  /** Its thread is gone; `wasIdle`: while nobody had asked anything of it. */
  instanceLost(instance: ScriptInstance, error: ThreadDied, wasIdle: boolean): void;
}

/** How a batch is run: warm-up needs no resources. */
interface BatchAsk {
  readonly batch: ScriptBatch;
  readonly resources: ScriptResources | undefined;
}
type Asked = ExecuteInput | { kind: 'load'; script: ScriptToLoad } | { kind: 'finalize' };

/** How long `finalize` may take. */
const FINALIZE_MS = 5000;

export class ScriptInstance implements BoundInstance, ScriptThreadListener {
  readonly #parts: ScriptInstanceParts;
  readonly #keeper: ScriptKeeper;
  readonly #tasks = new Map<number, ScriptTask>();
  #thread: ScriptThread | undefined;
  /** Undefined: none are limited. */
  #resources: ScriptResources | undefined;
  #isReady = false;
  #isClosed = false;
  #nextTask = 0;
  #released: Promise<void> | undefined;
  /** Resolves when nothing runs any more. */
  #drained: (() => void) | undefined;
  #warmUp: readonly ScriptBatch[] = [];

  constructor(parts: ScriptInstanceParts, keeper: ScriptKeeper) {
    this.#parts = parts;
    this.#keeper = keeper;
  }

  /** Batches that may start now; where resources are limited, the first of them. */
  get idle(): number {
    if (!this.#isReady || (this.#resources && !this.#resources.isFree)) return 0;
    return this.#freeSlots;
  }

  get isLost(): boolean {
    return !this.#isReady;
  }

  awaitIdle(): void {
    this.#keeper.awaitIdle();
  }

  forget(serial: number): void {
    this.#thread?.say({ kind: 'forget', sequence: serial });
  }

  /** Where resources are limited the instance runs next that has the lowest. */
  get rank(): number {
    return this.#resources?.rank ?? 0;
  }

  /** What its batches need from then on. */
  claim(claim: ResourceClaim): void {
    if (this.#resources) this.#resources.change(claim);
    else this.#resources = new ScriptResources(claim, () => this.#keeper.slotFree());
  }

  /** The keeper is told when the resources for a batch are free; of slots it is told anyway. */
  awaitResources(): void {
    if (this.#resources && this.#isReady && this.#freeSlots > 0) this.#resources.await();
  }

  /** Starts the thread and has the model loaded. @throws RuntimeError INVALID_ARGUMENT that says what is wrong with it, or ThreadDied */
  async load(): Promise<void> {
    const { script, limits } = this.#parts;
    this.#thread = new ScriptThread(this, limits);
    try {
      await this.#ask({ kind: 'load', script }, limits.initializationMs);
      for (const batch of this.#warmUp) if (this.#isWanted()) await this.#warm(batch);
    } catch (error) {
      await this.#endThread();
      throw error;
    }
    this.#isReady = true;
  }

  /** Runs these batches now, and again whenever the thread is replaced. */
  async warmUp(batches: readonly ScriptBatch[]): Promise<ScriptResult[]> {
    const results: ScriptResult[] = [];
    for (const batch of batches) results.push(await this.#warm(batch));
    this.#warmUp = batches;
    return results;
  }

  run(batch: ScriptBatch): Promise<ScriptResult> {
    return this.#run({ batch, resources: this.#resources });
  }

  /** Starts another thread in place of the one that has ended, if the instance is wanted then. @throws as `load` */
  async restart(): Promise<void> {
    if (!this.#isWanted()) return;
    try {
      await this.load();
    } catch (error) {
      if (this.#isWanted()) throw error;
    }
    if (!this.#isWanted()) await this.#endThread();
  }

  /** Waits for what runs, then ends the thread. */
  release(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  said(output: ScriptOutput): void {
    switch (output.kind) {
      case 'log':
        this.#parts.logged(output);
        return;
      case 'metrics':
        this.#parts.measured(output.updates);
        return;
      case 'infer':
        void this.#infer(output);
        return;
      case 'streamed': {
        // Whoever they are handed to may hand their memory on.
        const bytes = output.tensors.buffer.byteLength;
        this.#tasks.get(output.task)?.streamed(unpackTensors(output.tensors)[0]!, bytes);
        return;
      }
      default:
        this.#ended(output);
    }
  }

  died(reason: unknown): void {
    this.#lost(this.#death(this.#parts.describe(reason)));
  }

  // ---- details below; callers need not read ----

  get #freeSlots(): number {
    let running = 0;
    for (const task of this.#tasks.values()) if (!task.isWaiting) running++;
    return Math.max(this.#parts.limits.concurrency - running, 0);
  }

  async #run(asked: BatchAsk): Promise<ScriptResult> {
    const { clock, limits, script } = this.#parts;
    const input = executeInput(asked.batch, script);
    const since = clock.now();
    const output = await this.#ask(input, limits.executionMs, asked);
    return output.kind === 'executed' ? resultOf(output) : streamResult(clock.now() - since);
  }

  #isWanted(): boolean {
    return !this.#isClosed;
  }

  #ask(input: Asked, limitMs: number, asked?: BatchAsk): Promise<ScriptOutput> {
    const thread = this.#thread;
    if (!thread) return Promise.reject(bug('a model was asked that has no thread'));
    const id = this.#nextTask++;
    const { clock, wheel } = this.#parts;
    return new Promise((resolve, reject) => {
      const settle = (outcome: ScriptOutput | RuntimeError): void =>
        outcome instanceof RuntimeError ? reject(outcome) : resolve(outcome);
      const overdue = (task: ScriptTask): void => this.#overdue(task, input.kind);
      const { batch, resources } = asked ?? {};
      const task = new ScriptTask(id, batch, {
        ...{ clock, wheel, limitMs, resources, settle, overdue },
      });
      this.#tasks.set(id, task);
      thread.say({ ...input, task: id });
      if (this.#parts.script.decoupled && batch)
        followStream(task, thread, () => this.#keeper.slotFree());
    });
  }

  async #warm(batch: ScriptBatch): Promise<ScriptResult> {
    const result = await this.#run({ batch, resources: undefined });
    const failure = result.answers.find((answer) => answer instanceof RuntimeError);
    if (failure) throw failure;
    return result;
  }

  #ended(output: Extract<ScriptOutput, { kind: 'done' | 'executed' | 'failed' }>): void {
    const task = this.#tasks.get(output.task);
    if (!task) return;
    this.#tasks.delete(output.task);
    if (output.kind === 'failed')
      task.settle(new RuntimeError(output.failure.code, output.failure.message));
    else task.settle(output);
    this.#keeper.slotFree();
    if (this.#tasks.size === 0) this.#drained?.();
  }

  async #infer(asked: NestedAsk): Promise<void> {
    const { call } = asked;
    const thread = this.#thread;
    const task = this.#tasks.get(asked.task);
    task?.waits();
    this.#keeper.slotFree();
    const answer = await nestedAnswer(this.#parts.others, asked, task);
    const say = (): void => {
      if (thread === this.#thread) thread?.say({ kind: 'inferred', call, answer });
    };
    if (task) task.goesOn(say);
    else say();
  }

  #overdue(task: ScriptTask, kind: Asked['kind']): void {
    const what = { load: 'initialize', execute: 'a batch', finalize: 'finalize' }[kind];
    const text = `${what} did not end within ${task.limitMs} ms`;
    void this.#thread?.end();
    this.#lost(this.#death(text));
  }

  #death(why: string): ThreadDied {
    const { model } = this.#parts.script;
    return new ThreadDied(new Error(why), `the thread of model '${model}' has ended`);
  }

  /** Everything that was asked of the thread is answered. */
  #lost(error: ThreadDied): void {
    const wasReady = this.#isReady;
    const tasks = [...this.#tasks.values()];
    this.#isReady = false;
    this.#thread = undefined;
    this.#tasks.clear();
    for (const task of tasks) task.settle(error);
    this.#drained?.();
    if (wasReady && this.#isWanted()) this.#keeper.instanceLost(this, error, tasks.length === 0);
  }

  async #release(): Promise<void> {
    this.#isClosed = true;
    const wasReady = this.#isReady;
    this.#isReady = false;
    if (this.#tasks.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    if (wasReady && this.#thread) await this.#finalize();
    await this.#endThread();
    this.#resources?.leave();
  }

  async #finalize(): Promise<void> {
    try {
      await this.#ask({ kind: 'finalize' }, FINALIZE_MS);
    } catch (thrown) {
      const { message } = RuntimeError.from(thrown);
      this.#parts.logged({
        kind: 'log',
        level: 'warn',
        message: `finalize: ${message}`,
        fields: {},
      });
    }
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#isReady = false;
    await thread?.end();
  }
}
