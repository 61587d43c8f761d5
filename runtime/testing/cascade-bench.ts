// A cascade over models that are puppets, on a clock that stands still.

import { cascadeConfig } from '../config/cascade-config.js';
import { Call } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { Cascade } from '../pipeline/cascade.js';
import { RecordedReply, aModelConfig, aRequest } from './build.js';
import { FakeCatalog, aServedModel } from './fake-catalog.js';
import { FakeClock } from './fake-clock.js';
import { PuppetServable, type Answer } from './puppet-servable.js';

export interface PuppetModel {
  readonly name: string;
  readonly answer: Answer;
  readonly maxBatchSize?: number;
}

export class CascadeBench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly catalog = new FakeCatalog();
  readonly statistics = new ModelStatistics();
  readonly cascade: Cascade;
  readonly #models = new Map<string, PuppetServable>();

  /** `text`: as in config.pbtxt. */
  constructor(text: string, models: readonly PuppetModel[]) {
    for (const { name, answer, maxBatchSize = 64 } of models) {
      const servable = new PuppetServable(answer);
      this.#models.set(name, servable);
      const configMessage = { name, max_batch_size: maxBatchSize };
      this.catalog.serve(aServedModel({ name, configMessage }), servable);
    }
    const config = aModelConfig(text);
    const { catalog, clock, wheel, statistics } = this;
    const cascade = cascadeConfig(config.message)!;
    this.cascade = new Cascade({
      catalog,
      clock,
      wheel,
      statistics,
      config,
      cascade,
      version: '1',
    });
  }

  model(name: string): PuppetServable {
    return this.#models.get(name)!;
  }

  ask(
    request: Partial<InferenceRequest> = {},
    deadline?: number,
  ): { readonly call: Call; readonly reply: RecordedReply } {
    const call = new Call(this.clock.now(), deadline);
    const reply = new RecordedReply();
    this.cascade.infer(aRequest(request), call, reply);
    return { call, reply };
  }
}
