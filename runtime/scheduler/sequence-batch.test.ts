import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../config/model-config.js';
import { Call } from '../core/call.js';
import { NO_PARAMETERS } from '../core/inference.js';
import { elementCount, type Tensor } from '../core/tensor.js';
import { RecordedReply, aModelConfig, aTensor, valuesOf } from '../testing/build.js';
import type { BatchFeed, BatchResult, ResultTensor } from './batch-runner.js';
import { SequenceBatches } from './sequence-batch.js';
import { Sequence, SequenceEntry } from './sequence.js';

const READY = `control_input { name: "READY" control { kind: CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ] } }`;

/** A step of a sequence of its own, which has left `state`. */
function aStep(input: Tensor, state?: Tensor): SequenceEntry {
  const owner = {
    entryDue: () => undefined,
    entryCancelled: () => undefined,
    sequenceDue: () => undefined,
  };
  const sequence = new Sequence(owner, 1, 1);
  sequence.state = state && [state];
  const request = {
    ...{ modelName: 'm', id: '', outputs: [], inputs: [input] },
    parameters: { ...NO_PARAMETERS, sequenceId: 1 },
  };
  return new SequenceEntry(
    owner,
    { request, call: new Call(0), reply: new RecordedReply() },
    sequence,
  );
}

function resultOf(...outputs: ResultTensor[]): BatchResult {
  return { outputs, inputMs: 0, inferMs: 0, outputMs: 0 };
}

function fp32({ buffer, tensors }: BatchFeed): number[][] {
  return tensors.map(({ byteOffset, shape }) => [
    ...new Float32Array(buffer, byteOffset, elementCount(shape)),
  ]);
}

function stateful(dims: number, more = ''): ModelConfig {
  return aModelConfig(`
    max_batch_size: 4
    input { name: "IN" data_type: TYPE_FP32 dims: [ 1 ] }
    output { name: "OUT" data_type: TYPE_FP32 dims: [ 1 ] }
    ${more}
    sequence_batching {
      state { input_name: "BEFORE" output_name: "AFTER" data_type: TYPE_FP32 dims: [ ${dims} ] } }`);
}

describe('steps with states', () => {
  it('share a batch only where their states have the same shape', () => {
    const batches = new SequenceBatches(stateful(-1), [aTensor('BEFORE', [1], [0])]);
    const step = (...state: number[]): SequenceEntry =>
      aStep(aTensor('IN', [1, 1], [1]), aTensor('AFTER', [1, state.length], state));

    expect(batches.sameShape(step(1, 2), step(3, 4))).toBe(true);
    expect(batches.sameShape(step(1, 2), step(3))).toBe(false);
  });

  it('keep a state of any size where the configuration leaves it open', () => {
    const batches = new SequenceBatches(stateful(-1), [aTensor('BEFORE', [1], [0])]);
    const out = aTensor('OUT', [1, 1], [5]);

    const [step] = batches.split(
      '1',
      [aStep(aTensor('IN', [1, 1], [1]))],
      resultOf(out, aTensor('', [1, 3], [1, 2, 3])),
    );

    expect(step!.response.outputs.map(({ name }) => name)).toEqual(['OUT']);
    expect(step!.state.map(({ shape }) => shape)).toEqual([[1, 3]]);
    expect(valuesOf(step!.state[0]!)).toEqual([1, 2, 3]);
  });

  it('fail where the model makes a state of a size that the configuration does not have', () => {
    const batches = new SequenceBatches(stateful(2), [aTensor('BEFORE', [2], [0, 0])]);
    const made = resultOf(aTensor('OUT', [1, 1], [5]), aTensor('', [1, 3], [1, 2, 3]));

    expect(() => batches.split('1', [aStep(aTensor('IN', [1, 1], [1]))], made)).toThrow(
      "model 'm' has made state 'AFTER' of shape [3], but dims [2] is expected",
    );
  });

  it('hand on a state as the model made it, also where users get it in another shape', () => {
    const reshaped = `output { name: "AFTER" data_type: TYPE_FP32 dims: [ 2, 1 ] reshape { shape: [ 2 ] } }`;
    const batches = new SequenceBatches(stateful(2, reshaped), [aTensor('BEFORE', [2], [0, 0])]);
    const made = resultOf(aTensor('OUT', [1, 1], [5]), aTensor('', [1, 2], [7, 8]));

    const [step] = batches.split('1', [aStep(aTensor('IN', [1, 1], [1]))], made);

    expect(step!.response.outputs.map(({ shape }) => shape)).toEqual([
      [1, 1],
      [1, 2, 1],
    ]);
    expect(step!.state.map(({ shape }) => shape)).toEqual([[1, 2]]);
  });
});

describe('steps with ragged inputs', () => {
  const batches = new SequenceBatches(
    aModelConfig(`
      max_batch_size: 4
      input { name: "IN" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true }
      batch_input { kind: BATCH_ELEMENT_COUNT target_name: "COUNT" data_type: TYPE_FP32 source_input: "IN" }
      output { name: "OUT" data_type: TYPE_FP32 dims: [ -1 ] }
      batch_output { target_name: "OUT" source_input: "IN" }
      sequence_batching { ${READY}
        state { input_name: "BEFORE" output_name: "AFTER" data_type: TYPE_FP32 dims: [ 1 ] } }`),
    [aTensor('BEFORE', [1], [0])],
  );
  const one = aStep(aTensor('IN', [1, 1], [10]), aTensor('AFTER', [1, 1], [3]));
  const two = aStep(aTensor('IN', [1, 2], [20, 21]), aTensor('AFTER', [1, 1], [4]));

  it('share a batch: one vector, and beside it what the server makes', () => {
    expect(batches.sameShape(one, two)).toBe(true);
    const feed = batches.merge([one, two]);

    expect(feed.tensors.map(({ shape }) => shape)).toEqual([[3], [2, 1], [2, 1], [2]]);
    expect(fp32(feed)).toEqual([
      [10, 20, 21],
      [1, 1],
      [3, 4],
      [1, 2],
    ]);
  });

  it('leave a row without a request as long as another one', () => {
    const feed = batches.merge([undefined, two]);

    expect(fp32(feed)).toEqual([
      [0, 0, 20, 21],
      [0, 1],
      [0, 4],
      [2, 2],
    ]);
  });

  it('get the part of an output that their shape asks for, and their own state', () => {
    const made = resultOf(aTensor('', [4], [-1, -2, 20, 21]), aTensor('', [2, 1], [-3, 41]));

    const steps = batches.split('1', [undefined, two], made);

    expect(steps[1]!.response.outputs.map(valuesOf)).toEqual([[20, 21]]);
    expect(steps[1]!.state.map(valuesOf)).toEqual([[41]]);
  });
});
