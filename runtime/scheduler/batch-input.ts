// PURE: the tensors that a model gets about the shapes of the requests in its batch. Meanings: Triton's BackendInputCollector.
//
//   Counts are of a request, with all its rows: one number for each request, not for each row. Shapes are of a row: a request
//   of n rows has n of them. For requests of shapes [1,3] and [2,4]:
//
//   BATCH_ELEMENT_COUNT                         [3, 8]
//   BATCH_ACCUMULATED_ELEMENT_COUNT             [3, 11]
//   BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO   [0, 3, 11]
//   BATCH_MAX_ELEMENT_COUNT_AS_SHAPE            eight zeros: only the size tells
//   BATCH_ITEM_SHAPE                            [[3], [4], [4]]
//   BATCH_ITEM_SHAPE_FLATTEN                    [3, 4, 4]

import type { BatchInputKind } from '../config/ragged-config.js';
import { elementCount } from '../core/tensor.js';

export interface BatchInputTensor {
  readonly shape: readonly number[];
  /** From the front; the elements after them are 0. */
  readonly values: readonly number[];
}

/** `shapes`: of the source input, as the model would see it of each request by itself, rows first. */
export function batchInputTensor(
  kind: BatchInputKind,
  shapes: readonly (readonly number[])[],
): BatchInputTensor {
  switch (kind) {
    case 'BATCH_ELEMENT_COUNT':
      return vector(shapes.map(elementCount));
    case 'BATCH_ACCUMULATED_ELEMENT_COUNT':
      return vector(runningSums(shapes));
    case 'BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO':
      return vector([0, ...runningSums(shapes)]);
    case 'BATCH_MAX_ELEMENT_COUNT_AS_SHAPE':
      return { shape: [Math.max(...shapes.map(elementCount))], values: [] };
    case 'BATCH_ITEM_SHAPE': {
      const items = shapes.reduce((sum, [rows = 0]) => sum + rows, 0);
      return { shape: [items, shapes[0]!.length - 1], values: itemShapes(shapes) };
    }
    case 'BATCH_ITEM_SHAPE_FLATTEN':
      return vector(itemShapes(shapes));
  }
}

// ---- details below; callers need not read ----

function vector(values: readonly number[]): BatchInputTensor {
  return { shape: [values.length], values };
}

function runningSums(shapes: readonly (readonly number[])[]): number[] {
  let sum = 0;
  return shapes.map((shape) => (sum += elementCount(shape)));
}

function itemShapes(shapes: readonly (readonly number[])[]): number[] {
  return shapes.flatMap(([rows = 0, ...row]) => Array.from({ length: rows }, () => row).flat());
}
