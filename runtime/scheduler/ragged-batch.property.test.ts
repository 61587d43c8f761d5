// A model that gives every request its values back and the sum of each row: whatever shapes come and however they are batched, in
// batches that fail too, each request is answered as it would be alone.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aModelConfig, aRequest, aTensor, valuesOf } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { PuppetRunner } from '../testing/puppet-runner.js';
import type { BatchFeed, BatchResult, ResultTensor } from './batch-runner.js';
import { BatchScheduler } from './batch-scheduler.js';

const MAX_BATCH_SIZE = 8;

const CONFIG = aModelConfig(`
  max_batch_size: ${MAX_BATCH_SIZE}
  input [ { name: "X" data_type: TYPE_FP32 dims: [ -1, -1 ] allow_ragged_batch: true } ]
  batch_input [
    { kind: BATCH_ITEM_SHAPE data_type: TYPE_INT32 target_name: "SHAPES" source_input: "X" },
    { kind: BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO data_type: TYPE_FP32 target_name: "ENDS" source_input: "X" }
  ]
  output [
    { name: "ECHO" data_type: TYPE_FP32 dims: [ -1, -1 ] },
    { name: "SUM" data_type: TYPE_FP32 dims: [ 1 ] }
  ]
  batch_output [ { kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "ECHO" source_input: "X" } ]
  dynamic_batching { max_queue_delay_microseconds: 5000 }`);

/** Knows of requests and rows only what the batch inputs tell. */
function echoAndSum({ buffer, tensors }: BatchFeed): BatchResult {
  const [x, shapes, ends] = tensors;
  const values = new Float32Array(buffer, x!.byteOffset, x!.byteLength / 4);
  const [items, rank] = shapes!.shape as [number, number];
  const sizes = new Int32Array(buffer, shapes!.byteOffset, items * rank);
  const last = new Float32Array(buffer, ends!.byteOffset, ends!.byteLength / 4).at(-1);
  if (x!.shape[0] !== values.length || last !== values.length)
    throw new Error('the batch inputs do not fit the input');
  let at = 0;
  const sums = Array.from({ length: items }, (_, item) => {
    const elements = sizes[item * rank]! * sizes[item * rank + 1]!;
    return values.subarray(at, (at += elements)).reduce((sum, value) => sum + value, 0);
  });
  const outputs = [fp32Result([values.length], values), fp32Result([items, 1], sums)];
  return { outputs, inputMs: 0, inferMs: 0, outputMs: 0 };
}

function fp32Result(shape: readonly number[], values: Iterable<number>): ResultTensor {
  return { shape, data: aTensor('', shape, [...values]).data };
}

const shape = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(4), fc.nat(4));
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), shape }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Simulation {
  readonly runner = new PuppetRunner(2, echoAndSum);
  readonly asked: { request: InferenceRequest; reply: RecordedReply }[] = [];
  readonly #clock = new FakeClock();
  readonly #scheduler = new BatchScheduler({
    config: CONFIG,
    version: '1',
    runner: this.runner,
    clock: this.#clock,
    wheel: new TimerWheel(this.#clock),
    statistics: new ModelStatistics(),
  });

  async take(next: Step): Promise<void> {
    if (next.kind === 'ask') this.#ask(next.shape);
    else if (next.kind === 'wait') this.#clock.advance(5);
    else if (this.runner.idle < 2)
      await (next.kind === 'release' ? this.runner.release() : this.runner.fail());
  }

  async finish(): Promise<void> {
    while (this.asked.some(({ reply }) => reply.outcome === 'pending')) {
      this.#clock.advance(5);
      await this.runner.releaseAll();
    }
  }

  #ask(wanted: readonly number[]): void {
    const elements = wanted.reduce((product, size) => product * size, 1);
    const values = Array.from({ length: elements }, (_, i) => this.asked.length * 10 + i);
    const request = aRequest({ inputs: [aTensor('X', wanted, values)] });
    const reply = new RecordedReply();
    this.#scheduler.infer(request, new Call(this.#clock.now()), reply);
    this.asked.push({ request, reply });
  }
}

/** What a request gets that is alone. */
function expected({ inputs: [x] }: InferenceRequest): unknown[] {
  const values = valuesOf(x!);
  const [rows, ...rowShape] = x!.shape;
  const size = rowShape.reduce((product, each) => product * each, 1);
  const sums = Array.from({ length: rows! }, (_, i) =>
    values.slice(i * size, (i + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  return [
    ['ECHO', x!.shape, values],
    ['SUM', [rows, 1], sums],
  ];
}

describe('ragged batches', () => {
  it('answer every request as if it were alone', async () => {
    let shared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const simulation = new Simulation();
        for (const next of steps) await simulation.take(next);
        await simulation.finish();
        for (const { request, reply } of simulation.asked) {
          if (reply.outcome === 'BACKEND_FAILED') continue;
          const [response] = reply.responses;
          const outputs = response!.outputs.map((out) => [out.name, out.shape, valuesOf(out)]);
          expect(outputs).toEqual(expected(request));
        }
        for (const { rows, tensors } of simulation.runner.started) {
          expect(rows).toBeLessThanOrEqual(MAX_BATCH_SIZE);
          if (tensors[2]!.shape[0]! > 2) shared++;
        }
      }),
      { numRuns: 500 },
    );
    expect(shared).toBeGreaterThan(0);
  });

  it('are tried again request by request, each a batch of one, when they fail', async () => {
    const simulation = new Simulation();
    for (const asked of [
      [1, 2, 3],
      [2, 1, 1],
    ])
      await simulation.take({ kind: 'ask', shape: asked as [number, number, number] });
    await simulation.take({ kind: 'wait' });

    await simulation.take({ kind: 'fail' });
    await simulation.finish();

    const shapes = simulation.runner.started.map(({ tensors }) =>
      tensors.map((tensor) => tensor.shape),
    );
    expect(shapes).toEqual([
      [[8], [3, 2], [3]],
      [[6], [1, 2], [2]],
      [[2], [2, 2], [2]],
    ]);
    expect(simulation.asked.map(({ reply }) => reply.outcome)).toEqual(['ok', 'ok']);
  });
});
