import { describe, expect, it } from 'vitest';
import type { ModelConfigMessage } from './model-config-message.js';
import {
  completeFromEndpoints,
  endpointProblems,
  type DescribedModel,
} from './complete-from-endpoints.js';

const TENSORS: Pick<DescribedModel, 'inputs' | 'outputs'> = {
  inputs: [
    { name: 'x', dataType: 'FP32', shape: [-1, 2] },
    { name: 'mask', dataType: 'BOOL', shape: [-1, 1] },
  ],
  outputs: [{ name: 'y', dataType: 'BYTES', shape: [-1, 3] }],
};

const BATCHED: DescribedModel = {
  ...TENSORS,
  config: { max_batch_size: 8, input: [{ name: 'x' }, { name: 'mask', optional: true }] },
};

describe('completeFromEndpoints', () => {
  it('takes tensors without their batch dimension, the batch size and what is optional', () => {
    expect(completeFromEndpoints({ name: 'm' }, BATCHED)).toEqual({
      name: 'm',
      max_batch_size: 8,
      input: [
        { name: 'x', data_type: 'TYPE_FP32', dims: [2] },
        { name: 'mask', data_type: 'TYPE_BOOL', dims: [1], optional: true },
      ],
      output: [{ name: 'y', data_type: 'TYPE_STRING', dims: [3] }],
    });
  });

  it('takes tensors whole where nothing is said of batches', () => {
    const { max_batch_size: size, input } = completeFromEndpoints(
      {},
      { ...TENSORS, config: undefined },
    );

    expect(size).toBe(0);
    expect(input![0]!.dims).toEqual([-1, 2]);
  });

  it.each<[boolean | undefined, boolean | undefined, boolean | undefined]>([
    [undefined, true, true],
    [undefined, false, undefined],
    [undefined, undefined, undefined],
    [false, true, false],
    [true, undefined, true],
  ])('takes decoupled as here %s, or else as there %s: %s', (here, there, expected) => {
    const policy = (decoupled: boolean | undefined): ModelConfigMessage =>
      decoupled === undefined ? {} : { model_transaction_policy: { decoupled } };

    const complete = completeFromEndpoints(policy(here), { ...TENSORS, config: policy(there) });

    expect(complete.model_transaction_policy?.decoupled).toBe(expected);
  });

  it('leaves what is written', () => {
    const message: ModelConfigMessage = {
      max_batch_size: 4,
      output: [{ name: 'y', data_type: 'TYPE_STRING', dims: [-1] }],
    };

    expect(completeFromEndpoints(message, BATCHED)).toMatchObject(message);
  });
});

describe('endpointProblems', () => {
  const paths = (message: ModelConfigMessage, described: DescribedModel): string[] =>
    endpointProblems(message, described).map(({ path }) => path);

  it.each<[string, ModelConfigMessage, DescribedModel, string[]]>([
    ['nothing of what fits', { max_batch_size: 8 }, BATCHED, []],
    ['larger batches than there', { max_batch_size: 9 }, BATCHED, ['max_batch_size']],
    [
      'batches of tensors without a batch dimension',
      { max_batch_size: 8 },
      { ...BATCHED, outputs: [{ name: 'y', dataType: 'FP32', shape: [1] }] },
      ['max_batch_size'],
    ],
    [
      'a decoupled model that is said to be none',
      { model_transaction_policy: { decoupled: false } },
      { ...TENSORS, config: { model_transaction_policy: { decoupled: true } } },
      ['model_transaction_policy.decoupled'],
    ],
    [
      'nothing of a decoupled model of which nothing is said here',
      {},
      { ...TENSORS, config: { model_transaction_policy: { decoupled: true } } },
      [],
    ],
  ])('finds %s', (_what, message, described, expected) => {
    expect(paths(message, described)).toEqual(expected);
  });
});
