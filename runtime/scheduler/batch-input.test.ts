import { describe, expect, it } from 'vitest';
import type { BatchInputKind } from '../config/ragged-config.js';
import { batchInputTensor } from './batch-input.js';

/** Three requests, the second of two rows. */
const SHAPES = [
  [1, 3],
  [2, 4],
  [1, 1],
];

/** Two requests of rows of two dimensions, the first of two rows. */
const FLAT_SHAPES = [
  [2, 3, 1],
  [1, 2, 5],
];

describe('batchInputTensor', () => {
  it.each<[BatchInputKind, number[], number[]]>([
    ['BATCH_ELEMENT_COUNT', [3], [3, 8, 1]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT', [3], [3, 11, 12]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO', [4], [0, 3, 11, 12]],
    ['BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', [8], []],
    ['BATCH_ITEM_SHAPE', [4, 1], [3, 4, 4, 1]],
    ['BATCH_ITEM_SHAPE_FLATTEN', [4], [3, 4, 4, 1]],
  ])('makes %s of vectors', (kind, shape, values) => {
    expect(batchInputTensor(kind, SHAPES)).toEqual({ shape, values });
  });

  it.each<[BatchInputKind, number[], number[]]>([
    ['BATCH_ELEMENT_COUNT', [2], [6, 10]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT', [2], [6, 16]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO', [3], [0, 6, 16]],
    ['BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', [10], []],
    ['BATCH_ITEM_SHAPE', [3, 2], [3, 1, 3, 1, 2, 5]],
    ['BATCH_ITEM_SHAPE_FLATTEN', [6], [3, 1, 3, 1, 2, 5]],
  ])('makes %s of matrices', (kind, shape, values) => {
    expect(batchInputTensor(kind, FLAT_SHAPES)).toEqual({ shape, values });
  });

  it.each<[BatchInputKind, number[], number[]]>([
    ['BATCH_ELEMENT_COUNT', [1], [5]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT', [1], [5]],
    ['BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO', [2], [0, 5]],
    ['BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', [5], []],
    ['BATCH_ITEM_SHAPE', [1, 1], [5]],
    ['BATCH_ITEM_SHAPE_FLATTEN', [1], [5]],
  ])('makes %s of a batch of one', (kind, shape, values) => {
    expect(batchInputTensor(kind, [[1, 5]])).toEqual({ shape, values });
  });

  it('counts requests without elements', () => {
    const shapes = [
      [1, 0],
      [1, 2],
    ];

    expect(batchInputTensor('BATCH_ELEMENT_COUNT', shapes).values).toEqual([0, 2]);
    expect(batchInputTensor('BATCH_MAX_ELEMENT_COUNT_AS_SHAPE', [[1, 0]]).shape).toEqual([0]);
  });
});
