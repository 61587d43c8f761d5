// Shapes: of nested lists, and what a known signature adds to data that come without one.

import { invalid } from './inferd-error.js';

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

type Nested<E> = readonly (E | Nested<E>)[];

/** A plain list has no shape of its own: it may be row-major. @throws InferdError INVALID_ARGUMENT when rows differ in length */
export function flatten<E>(name: string, list: Nested<E>): { elements: E[]; shape: number[] } {
  const shape = [list.length];
  let elements: readonly (E | Nested<E>)[] = list;
  while (Array.isArray(elements[0])) {
    const rows = elements as readonly Nested<E>[];
    const length = rows[0]!.length;
    if (!rows.every((row) => Array.isArray(row) && row.length === length))
      throw invalid(`input '${name}': the lists of a dimension differ in length`);
    shape.push(length);
    elements = rows.flat(1);
  }
  return { elements: elements as E[], shape: shape.length > 1 ? shape : [] };
}

/** Data without a shape take the known one, if there is just one size to be found; else they have one dimension. */
export function filledShape(
  found: readonly number[],
  count: number,
  known: readonly number[] = [],
): readonly number[] {
  if (found.length > 0) return found;
  const open = known.filter((size) => size === -1).length;
  const fixed = sizeOf(known.filter((size) => size !== -1));
  if (known.length === 0 || open > 1 || fixed === 0 || count % fixed !== 0) return [count];
  return known.map((size) => (size === -1 ? count / fixed : size));
}
