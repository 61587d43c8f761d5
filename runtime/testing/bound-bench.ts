// A sequence scheduler on a clock that stands still, before puppets of instances that remember their sequences.

import { Call } from '../core/call.js';
import { NO_PARAMETERS, type RequestParameters } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { BoundSlots } from '../scheduler/bound-slots.js';
import { ScriptSteps } from '../scheduler/script-steps.js';
import { SequenceScheduler } from '../scheduler/sequence-scheduler.js';
import type { ScriptBatch } from '../scheduler/script-runner.js';
import { RecordedReply, aModelConfig, aTensor } from './build.js';
import { FakeClock } from './fake-clock.js';
import { PuppetInstances } from './puppet-instances.js';

export interface BoundSetup {
  readonly strategy?: string;
  readonly maxBatchSize?: number;
  readonly instances?: number;
  readonly idleUs?: number;
  /** Of the configuration. */
  readonly more?: string;
}

export interface BoundAsk {
  readonly reply: RecordedReply;
  readonly call: Call;
}

const QUIET = {
  ...{ debug: () => undefined, info: () => undefined },
  ...{ warn: () => undefined, error: () => undefined },
};

export class BoundBench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly statistics = new ModelStatistics();
  readonly runner: PuppetInstances;
  readonly scheduler: SequenceScheduler;

  constructor({
    strategy = 'direct { }',
    maxBatchSize = 2,
    instances = 2,
    idleUs = 0,
    more = '',
  }: BoundSetup = {}) {
    const config = aModelConfig(`
      max_batch_size: ${maxBatchSize}
      input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
      output [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
      sequence_batching { max_sequence_idle_microseconds: ${idleUs} ${strategy} ${more} }`);
    const { clock, wheel, statistics } = this;
    const runner = (this.runner = new PuppetInstances(instances));
    this.scheduler = new SequenceScheduler({
      ...{ config, runner, clock, wheel, statistics, log: QUIET },
      slots: new BoundSlots(config, runner),
      execution: new ScriptSteps(config, '1'),
    });
  }

  ask(sequenceId: number, parameters: Partial<RequestParameters> & { x?: number } = {}): BoundAsk {
    const { x = 1, ...rest } = parameters;
    const reply = new RecordedReply();
    const call = new Call(this.clock.now());
    this.scheduler.infer(
      {
        ...{ modelName: 'm', id: '', outputs: [] },
        parameters: { ...NO_PARAMETERS, sequenceId, ...rest },
        inputs: [aTensor('x', [1, 1], [x])],
      },
      call,
      reply,
    );
    return { reply, call };
  }

  start(id: number, parameters: Partial<RequestParameters> & { x?: number } = {}): BoundAsk {
    return this.ask(id, { sequenceStart: true, ...parameters });
  }

  /** Lets everything run that may. */
  async run(): Promise<void> {
    const { all } = this.runner;
    this.clock.runDeferred();
    for (let at = all.findIndex(({ isBusy }) => isBusy); at >= 0;) {
      await this.runner.end(at);
      this.clock.runDeferred();
      at = this.runner.all.findIndex(({ isBusy }) => isBusy);
    }
  }

  /** Nothing is left of anybody. */
  get leftovers(): readonly number[] {
    const { scheduler, statistics, wheel, clock } = this;
    return [scheduler.sequences, statistics.pending, wheel.size, clock.timerCount];
  }
}

/** Ids of the sequences whose steps are in it. */
export function idsOf({ entries }: ScriptBatch): unknown[] {
  return entries.map(({ sequence }) => sequence?.id);
}
