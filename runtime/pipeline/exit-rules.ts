// PURE: which rows are finished after a stage, and by which rule. Numbers are compared exactly, whatever their type; NaN satisfies no
// rule, and neither does an element that the row does not have.

import { ANY_ELEMENT, type ExitRule, type ExitTest } from '../config/cascade-config.js';
import { elementBytes } from '../core/data-type.js';
import { elementReader } from '../core/element-readers.js';
import { stringLength, type TensorRows } from './tensor-rows.js';

/** Of a row that no rule holds for. */
export const NO_RULE = -1;

/**
 * For each of `rows` rows the first rule that holds for it, as its place in `rules`, or NO_RULE. `rowsOf` gives the tensor of a rule
 * for these rows.
 */
export function decideExits(
  rules: readonly ExitRule[],
  rows: number,
  rowsOf: (tensor: string) => TensorRows,
): Int32Array {
  const decided = new Int32Array(rows).fill(NO_RULE);
  rules.forEach((rule, index) => {
    const holds = ruleTest(rule, rowsOf(rule.tensor));
    for (let row = 0; row < rows; row++)
      if (decided[row] === NO_RULE && holds(row)) decided[row] = index;
  });
  return decided;
}

// ---- details below; callers need not read ----

type RowTest = (row: number) => boolean;

function ruleTest({ index, test }: ExitRule, tensor: TensorRows): RowTest {
  const from = index === ANY_ELEMENT ? 0 : index;
  const to = index === ANY_ELEMENT ? tensor.elements : index + 1;
  if (to > tensor.elements) return () => false;
  return test.kind === 'equals_string'
    ? textTest(tensor, { from, to, text: test.value })
    : numberTest(tensor, { from, to, test });
}

function numberTest(
  rows: TensorRows,
  { from, to, test }: { readonly from: number; readonly to: number; readonly test: ExitTest },
): RowTest {
  const { dataType, data } = rows.tensor;
  const read = elementReader(dataType);
  if (!read || test.kind === 'equals_string') return () => false;
  const holds = COMPARISONS[test.kind];
  const { value } = test;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bytes = elementBytes(dataType);
  return (row) => {
    const start = rows.start(row);
    for (let element = from; element < to; element++)
      if (holds(read(view, start + element * bytes), value)) return true;
    return false;
  };
}

/** Of a bigint and a number these compare the values themselves: nothing is rounded. All are false of NaN. */
const COMPARISONS = {
  above: (element: number | bigint, value: number) => element > value,
  below: (element: number | bigint, value: number) => element < value,
  equals: (element: number | bigint, value: number) => element >= value && element <= value,
} as const;

function textTest(
  rows: TensorRows,
  { from, to, text }: { readonly from: number; readonly to: number; readonly text: string },
): RowTest {
  const { dataType, data } = rows.tensor;
  if (dataType !== 'BYTES') return () => false;
  const wanted = new TextEncoder().encode(text);
  return (row) => {
    let at = rows.start(row);
    for (let element = 0; element < to; element++) {
      const length = stringLength(data, at);
      if (element >= from && isEqual(data, at + 4, { wanted, length })) return true;
      at += 4 + length;
    }
    return false;
  };
}

function isEqual(
  data: Uint8Array,
  at: number,
  { wanted, length }: { readonly wanted: Uint8Array; readonly length: number },
): boolean {
  if (length !== wanted.length) return false;
  for (let i = 0; i < length; i++) if (data[at + i] !== wanted[i]) return false;
  return true;
}
