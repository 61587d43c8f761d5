// PURE: binary search.

/** Where the first element lies that is not before what is looked for; the length if all are. `elements` are in order. */
export function lowerBound<T>(elements: readonly T[], isBefore: (element: T) => boolean): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(elements[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
