// PURE: what comes after what among the steps of an ensemble.

import type { PartConfig } from './ensemble-config.js';

/** Those that read what this one writes, and those that read what they write, … */
export function stepsBehind(index: number, steps: readonly PartConfig[]): ReadonlySet<number> {
  const behind = new Set<number>();
  const tensors = new Set<string>();
  const follow = (at: number): void => {
    for (const { whole } of steps[at]!.outputs) tensors.add(whole);
    steps.forEach(({ inputs }, reader) => {
      if (behind.has(reader) || !inputs.some(({ whole }) => tensors.has(whole))) return;
      behind.add(reader);
      follow(reader);
    });
  };
  follow(index);
  return behind;
}
