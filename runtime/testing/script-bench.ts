// Instances of models in TypeScript on threads that the test plays, and other models that answer when it says so.

import { Call } from '../core/call.js';
import type { InferenceResponse } from '../core/inference.js';
import { TimerWheel } from '../core/timer-wheel.js';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import { RateLimiter } from '../instance/rate-limiter.js';
import { ScriptGroup, type ScriptGroupParts } from '../instance/script-group.js';
import type { ScriptLimits } from '../instance/script-instance.js';
import type { ScriptBatch } from '../scheduler/script-runner.js';
import { aRequest, aResponse } from './build.js';
import { FakeClock } from './fake-clock.js';

export class ScriptBench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly deaths: string[] = [];
  readonly logged: string[] = [];
  readonly limiter: RateLimiter | undefined;
  /** Sequences stay with their instance. */
  isBound = false;
  decoupled = false;
  /** Of the other models that have been asked, in their order. */
  readonly answer: ((response?: InferenceResponse) => Promise<void>)[] = [];

  /** `limit`: how much there is of R; undefined: nobody looks. */
  constructor(limit?: number) {
    if (limit !== undefined)
      this.limiter = new RateLimiter([{ name: 'R', count: limit, device: undefined }]);
  }

  start(
    groups: readonly InstanceGroupSpec[],
    limits: Partial<ScriptLimits> = {},
  ): Promise<ScriptGroup> {
    return ScriptGroup.start(this.#parts(groups, limits));
  }

  batch(call = new Call(this.clock.now())): ScriptBatch {
    return { entries: [{ request: aRequest(), rows: 1, call }], streamed: () => undefined };
  }

  // ---- details below; callers need not read ----

  #parts(groups: readonly InstanceGroupSpec[], limits: Partial<ScriptLimits>): ScriptGroupParts {
    const { clock, wheel, limiter } = this;
    return {
      ...{ clock, wheel, limiter, groups, isBound: this.isBound },
      limits: { ...LIMITS, ...limits },
      script: { ...SCRIPT, decoupled: this.decoupled },
      others: {
        ask: () =>
          new Promise((resolve) =>
            this.answer.push(async (response = aResponse()) => {
              resolve(response);
              await settled();
            }),
          ),
      },
      logged: ({ message }) => this.logged.push(message),
      measured: () => undefined,
      describe: String,
      died: ({ message }) => this.deaths.push(message),
    };
  }
}

export function aGroup({ count = 1, needs = 0, priority = 1 } = {}): InstanceGroupSpec {
  const resources = needs > 0 ? [{ name: 'R', isGlobal: false, count: needs }] : [];
  return { name: 'g', kind: 'KIND_CPU', count, gpus: [], rateLimiter: { priority, resources } };
}

/** Lets promises run their course. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

const LIMITS: ScriptLimits = {
  ...{ concurrency: 1, executionMs: 100, initializationMs: 1000, heapMb: 512 },
};

const SCRIPT: ScriptGroupParts['script'] = {
  ...{ model: 'm', version: 1, directory: '/m/1', parameters: {}, batched: true },
  ...{ maxBatchSize: 4, decoupled: false, outputs: [] },
  bundle: { filename: 'model.ts', code: '', map: '' },
};
