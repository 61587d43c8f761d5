// A sequence scheduler on a clock that stands still, before a puppet of a model that adds up what it is given:
// SUM = STATE_OUT = STATE_IN + INPUT0.

import { Call } from '../core/call.js';
import { NO_PARAMETERS, type RequestParameters } from '../core/inference.js';
import type { LogFields } from '../core/log.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { elementCount } from '../core/tensor.js';
import { TimerWheel } from '../core/timer-wheel.js';
import type { BatchFeed, BatchResult } from '../scheduler/batch-runner.js';
import { mergedSequences } from '../scheduler/merged-steps.js';
import { SequenceScheduler } from '../scheduler/sequence-scheduler.js';
import { RecordedReply, aModelConfig, rawTensor } from './build.js';
import { FakeClock } from './fake-clock.js';
import { PuppetRunner } from './puppet-runner.js';

export const CONTROLS = `
  control_input [ { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] } ]
  control_input [ { name: "END" control [ { kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ] } ] } ]
  control_input [ { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } ] } ]
  control_input [ { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_INT32 } ] } ]`;

export interface Setup {
  readonly strategy?: string;
  readonly maxBatchSize?: number;
  readonly instances?: number;
  readonly idleUs?: number;
}

export type Step = Partial<RequestParameters> & {
  readonly value?: number;
  readonly width?: number;
};

export interface Asked {
  readonly reply: RecordedReply;
  readonly call: Call;
}

export class SequenceBench {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly statistics = new ModelStatistics();
  readonly warnings: string[] = [];
  readonly runner: PuppetRunner;
  readonly scheduler: SequenceScheduler;

  constructor({
    strategy = 'direct { }',
    maxBatchSize = 2,
    instances = 1,
    idleUs = 0,
  }: Setup = {}) {
    const config = aModelConfig(`
      max_batch_size: ${maxBatchSize}
      input [ { name: "INPUT0" data_type: TYPE_INT32 dims: [ -1 ] } ]
      output [ { name: "SUM" data_type: TYPE_INT32 dims: [ -1 ] } ]
      sequence_batching {
        max_sequence_idle_microseconds: ${idleUs} ${strategy} ${CONTROLS}
        state [ { input_name: "STATE_IN" output_name: "STATE_OUT" data_type: TYPE_INT32 dims: [ 1 ] } ]
      }`);
    this.runner = new PuppetRunner(instances, addUp);
    const { clock, wheel, runner, statistics } = this;
    const warn = (_fields: LogFields, text: string): void => void this.warnings.push(text);
    const initialState = [rawTensor('STATE_IN', 'INT32', { shape: [1], data: new Uint8Array(4) })];
    this.scheduler = new SequenceScheduler({
      ...{ config, runner, clock, wheel, statistics },
      ...mergedSequences({ config, version: '1', runner, instances, initialState }),
      log: { debug: () => undefined, info: () => undefined, warn, error: () => undefined },
    });
  }

  ask(sequenceId: number | string, step: Step = {}, deadline?: number): Asked {
    const { value = 1, width = 1, ...parameters } = step;
    const reply = new RecordedReply();
    const call = new Call(this.clock.now(), deadline);
    const data = new Uint8Array(Int32Array.from({ length: width }, () => value).buffer);
    this.scheduler.infer(
      {
        ...{ modelName: 'm', id: '', outputs: [] },
        parameters: { ...NO_PARAMETERS, sequenceId, ...parameters },
        inputs: [rawTensor('INPUT0', 'INT32', { shape: [1, width], data })],
      },
      call,
      reply,
    );
    return { reply, call };
  }

  start(sequenceId: number | string, step: Step = {}, deadline?: number): Asked {
    return this.ask(sequenceId, { sequenceStart: true, ...step }, deadline);
  }

  /** Lets everything that may run do so. */
  async run(): Promise<void> {
    this.clock.runDeferred();
    while (this.runner.isBusy) {
      await this.runner.releaseAll();
      this.clock.runDeferred();
    }
  }

  /** The rows of a batch as the model saw them, such as { INPUT0: [1, 2], START: [1, 0] }. */
  batch(index: number): Record<string, number[]> {
    const feed = this.runner.started[index]!;
    return Object.fromEntries(TENSORS.map((name, at) => [name, int32(feed, at)]));
  }

  /** Nothing is left of anybody. */
  get leftovers(): readonly number[] {
    const { scheduler, statistics, wheel, clock } = this;
    return [scheduler.sequences, statistics.pending, wheel.size, clock.timerCount];
  }
}

export function sumOf({ reply }: Asked): number | string {
  const output = reply.responses[0]?.outputs[0];
  return output ? new Int32Array(output.data.slice().buffer)[0]! : reply.outcome;
}

const TENSORS = ['INPUT0', 'START', 'END', 'READY', 'CORRID', 'STATE_IN'] as const;

function int32({ buffer, tensors }: BatchFeed, index: number): number[] {
  const { byteOffset, shape } = tensors[index]!;
  return [...new Int32Array(buffer, byteOffset, elementCount(shape))];
}

function addUp(feed: BatchFeed): BatchResult {
  const inputs = int32(feed, 0);
  const states = int32(feed, TENSORS.indexOf('STATE_IN'));
  const width = inputs.length / states.length;
  const sums = states.map((state, row) => state + inputs[row * width]!);
  const output = { shape: [sums.length, 1], data: new Uint8Array(Int32Array.from(sums).buffer) };
  return { outputs: [output, output], inputMs: 0.1, inferMs: 1, outputMs: 0.2 };
}
