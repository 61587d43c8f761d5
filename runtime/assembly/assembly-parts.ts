// What every kind of model is put together from.

import type { ResponseCache } from '../cache/response-cache.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import type { ExecutorThreads } from '../instance/executor-threads.js';
import type { ModelMemory } from '../instance/model-memory.js';
import type { RateLimiter } from '../instance/rate-limiter.js';

export interface AssemblyParts {
  readonly threads: ExecutorThreads;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly log: Log;
  /** Where models that ask other models find them. */
  readonly catalog: ModelCatalog;
  /** Models share it and are in it only while they are used; undefined: all models stay in memory. */
  readonly memory?: ModelMemory | undefined;
  /** Models whose configuration says so answer from it; undefined: none does. */
  readonly cache?: ResponseCache | undefined;
  /** Instances share resources; undefined: they run whenever their threads are free. */
  readonly limiter?: RateLimiter | undefined;
}

export interface AssemblyOptions {
  /** What a configuration leaves out is taken from the model. */
  readonly autoComplete: boolean;
  readonly defaultMaxBatchSize: number;
  readonly hasGpu: boolean;
  /** Statistics keep what quantiles are made of. */
  readonly summaries: boolean;
}
