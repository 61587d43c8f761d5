// What the configuration says of waiting: at which level a request does, how many may, and for how long. A level without a queue
// policy of its own has that of the model. And the words for those who may not wait.

import type { BatchingConfig, QueuePolicy } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import { requestIdPrefix, type InferenceRequest } from '../core/inference.js';
import { DeadlineQueue } from './deadline-queue.js';
import { PriorityQueue } from './priority-queue.js';
import { RequestQueue } from './request-queue.js';
import type { WaitingRequests } from './waiting-requests.js';

export class Admission {
  readonly #config: BatchingConfig;
  /** Different requests may wait at different levels. */
  readonly #hasLevels: boolean;

  constructor(config: BatchingConfig) {
    this.#config = config;
    this.#hasLevels = config.priorities.levels > 0;
  }

  createQueue(): WaitingRequests {
    const createLevel = (): WaitingRequests =>
      this.#config.order === 'deadline' ? new DeadlineQueue() : new RequestQueue();
    return this.#config.priorities.levels > 1 ? new PriorityQueue(createLevel) : createLevel();
  }

  /** 0 where the model has no levels. */
  levelOf({ parameters: { priority } }: InferenceRequest): number {
    if (!this.#hasLevels) return 0;
    const { levels, defaultLevel } = this.#config.priorities;
    return priority >= 1 && priority <= levels ? priority : defaultLevel;
  }

  policyOf(level: number): QueuePolicy {
    if (!this.#hasLevels) return this.#config.queuePolicy;
    return this.#config.priorities.policies.get(level) ?? this.#config.queuePolicy;
  }
}

/** How long a request may wait. It may shorten what the policy says where that lets it, never lengthen it. */
export function queueTimeoutMs(policy: QueuePolicy, { parameters }: InferenceRequest): number {
  const { allowTimeoutOverride, defaultTimeoutMs } = policy;
  if (allowTimeoutOverride && parameters.timeoutMs > 0)
    return Math.min(parameters.timeoutMs, defaultTimeoutMs);
  return defaultTimeoutMs;
}

export function queueFull(request: InferenceRequest): RuntimeError {
  return new RuntimeError('QUEUE_FULL', `${requestIdPrefix(request)}Exceeds maximum queue size`);
}

/** The deadline has passed, or is nearer than the execution would take. */
export function tooLate({ deadline }: Call, now: number, computeMs: number): RuntimeError {
  const text =
    now >= deadline
      ? 'Deadline exceeded before the request could be executed'
      : `Deadline is too close for the request to be executed: the model takes ${computeMs.toFixed(1)} ms`;
  return new RuntimeError('DEADLINE_EXCEEDED', text);
}
