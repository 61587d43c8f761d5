// A batch scheduler on a clock that stands still, before instances that run when they are told to.

import type { ModelConfig } from '../config/model-config.js';
import { Call } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { BatchScheduler } from '../scheduler/batch-scheduler.js';
import { RecordedReply, aBatchedConfig, aRequest } from './build.js';
import { FakeClock } from './fake-clock.js';
import { PuppetRunner } from './puppet-runner.js';

export class SchedulerBench {
  readonly clock = new FakeClock();
  readonly runner: PuppetRunner;
  readonly statistics = new ModelStatistics();
  readonly wheel = new TimerWheel(this.clock);
  readonly scheduler: BatchScheduler;

  constructor(config: ModelConfig = aBatchedConfig(), instances = 1) {
    this.runner = new PuppetRunner(instances);
    const { clock, wheel, runner, statistics } = this;
    this.scheduler = new BatchScheduler({ config, version: '1', runner, clock, wheel, statistics });
  }

  ask(
    request: InferenceRequest = aRequest(),
    deadline?: number,
  ): { reply: RecordedReply; call: Call } {
    const reply = new RecordedReply();
    const call = new Call(this.clock.now(), deadline);
    this.scheduler.infer(request, call, reply);
    return { reply, call };
  }

  /** Asks `count` times and lets the scheduler look at what has come. */
  askMany(count: number): RecordedReply[] {
    const replies = Array.from({ length: count }, () => this.ask().reply);
    this.clock.runDeferred();
    return replies;
  }
}
