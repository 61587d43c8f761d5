// A batch of a model written in TypeScript, from its requests to their answers: run as it is, without merging, and each request answered
// or failed on its own. Of the batches of a decoupled model, one request each, answers leave as they come.

import type { ModelConfig } from '../config/model-config.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Tensor } from '../core/tensor.js';
import { computeTimes, type BatchFailed, type Execution } from './batch-execution.js';
import { ComputeEstimate } from './compute-estimate.js';
import type { QueueEntry } from './queue-entry.js';
import { Reshaping } from './reshaping.js';
import type { ScriptEntry, ScriptResult, ScriptRunner } from './script-runner.js';

export interface ScriptExecutionParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly runner: ScriptRunner;
  readonly clock: Clock;
  readonly statistics: ModelStatistics;
  readonly decoupled: boolean;
}

export class ScriptExecution implements Execution {
  readonly #parts: ScriptExecutionParts;
  readonly #failed: BatchFailed;
  readonly #reshaping: Reshaping | undefined;
  readonly #estimate = new ComputeEstimate();
  #running = 0;

  constructor(parts: ScriptExecutionParts, failed: BatchFailed) {
    this.#parts = parts;
    this.#failed = failed;
    this.#reshaping = Reshaping.of(parts.config);
  }

  get running(): number {
    return this.#running;
  }

  get expectedMs(): number {
    return this.#estimate.ms;
  }

  /** The code looks at each request by itself. */
  sameShape(): boolean {
    return true;
  }

  run(entries: readonly QueueEntry[]): void {
    const { clock, runner, statistics } = this.#parts;
    this.#running++;
    const streamed = (outputs: readonly Tensor[]): void =>
      entries[0]!.answer(this.#response(outputs));
    runner.run({ entries: this.#seen(entries), streamed }).then(
      (result) => {
        this.#running--;
        this.#completed(entries, result);
      },
      (thrown: unknown) => {
        this.#running--;
        statistics.busyMs += clock.now() - entries[0]!.call.timings.dispatchedAt;
        this.#failed(entries, batchError(RuntimeError.from(thrown), entries.length));
      },
    );
  }

  // ---- details below; callers need not read ----

  #seen(entries: readonly QueueEntry[]): readonly ScriptEntry[] {
    const reshaping = this.#reshaping;
    if (!reshaping) return entries;
    return entries.map(({ request, call, rows }) => {
      return { request: reshaping.request(request), call, rows };
    });
  }

  #completed(entries: readonly QueueEntry[], result: ScriptResult): void {
    const { clock, statistics, decoupled } = this.#parts;
    const { dispatchedAt } = entries[0]!.call.timings;
    const now = clock.now();
    statistics.busyMs += now - dispatchedAt;
    this.#estimate.add(now - dispatchedAt);
    const times = computeTimes(dispatchedAt, now, result);
    const rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
    statistics.executed(rows, times);
    entries.forEach((entry, index) => {
      const { inputMs, inferMs, outputMs, completedAt } = times;
      Object.assign(entry.call.timings, {
        inputMs,
        inferMs,
        outputMs,
        completedAt,
        batchSize: rows,
      });
      if (decoupled) {
        entry.finish();
        return;
      }
      const answer = result.answers[index] ?? bug('a request was run and has no answer');
      if (answer instanceof RuntimeError) entry.fail(answer);
      else entry.succeed(this.#response(answer));
    });
  }

  #response(made: readonly Tensor[]): InferenceResponse {
    const { config, version } = this.#parts;
    const outputs = this.#reshaping?.outputs(made) ?? made;
    return { modelName: config.name, modelVersion: version, outputs };
  }
}

// ---- details below; callers need not read ----

/** Whatever one of several requests made the code throw is no answer to the others: the scheduler asks again one by one. */
function batchError(error: RuntimeError, requests: number): RuntimeError {
  if (requests === 1 || error.code === 'BACKEND_LOST') return error;
  return new RuntimeError('BACKEND_FAILED', error.message, { cause: error });
}
