// A policy layer around a model that answers when it is told to, on a clock that stands still.

import { Call, Effort } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Servable } from '../core/servable.js';
import { TimerWheel } from '../core/timer-wheel.js';
import type { PolicyLayer, PolicyParts } from '../layer/policy-layer.js';
import { RecordedReply, aRequest } from './build.js';
import { FakeClock } from './fake-clock.js';
import { HeldServable } from './held-servable.js';
import type { Subject } from './servable-conformance.js';

/** Answers as aResponse does. */
export const POLICY_MODEL: PolicyParts['model'] = {
  ...{ name: 'm', version: 1, batched: true },
  outputs: [{ name: 'OUTPUT0', dataType: 'FP32', shape: [-1, 2] }],
};

export class PolicyBench<Policy extends PolicyLayer> {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly model = new HeldServable(this.clock);
  readonly policy: Policy;
  readonly servable: Servable;
  /** What the policy takes for chance. */
  random = 0.5;

  constructor(create: (parts: PolicyParts) => Policy) {
    const { clock, wheel } = this;
    this.policy = create({ model: POLICY_MODEL, clock, wheel, random: () => this.random });
    this.servable = this.policy.around(this.model);
  }

  ask(
    request: InferenceRequest = aRequest(),
    timeoutMs = Infinity,
  ): { readonly reply: RecordedReply; readonly call: Call } {
    const reply = new RecordedReply();
    const call = new Call(this.clock.now(), this.clock.now() + timeoutMs);
    call.effort = new Effort();
    this.servable.infer(request, call, reply);
    return { reply, call };
  }

  /** The counter of the policy's node, by its name and, if that is not enough, a label. */
  count(name: string, label?: string): number | undefined {
    const { counters = [] } = this.policy.node({ kind: 'model', name: 'model', children: [] });
    return counters.find(
      (counter) =>
        counter.name === name &&
        (label === undefined || Object.values(counter.labels).includes(label)),
    )?.value;
  }

  get state(): string | undefined {
    return this.policy.node({ kind: 'model', name: 'model', children: [] }).state?.();
  }

  /** For the conformance suite: a model that goes on failing when it breaks down. */
  get subject(): Subject {
    const { servable, clock, model } = this;
    return {
      servable,
      clock,
      finish: () => {
        for (const asked of model.open) asked.answer();
        return Promise.resolve();
      },
      breakDown: () => {
        for (let round = 0; round < 20; round++) {
          for (const asked of model.open) asked.fail();
          clock.advance(1000);
        }
        return Promise.resolve();
      },
    };
  }
}
