// PURE: which of the versions that are there shall serve.

import type { ModelConfigMessage } from '../config/model-config-message.js';

/** Ascending. `available` in any order. */
export function versionsToServe(
  policy: ModelConfigMessage['version_policy'],
  available: readonly number[],
): number[] {
  const ascending = [...available].sort((a, b) => a - b);
  if (policy?.all) return ascending;
  if (policy?.specific) {
    const wanted = new Set((policy.specific.versions ?? []).map(Number));
    return ascending.filter((version) => wanted.has(version));
  }
  return ascending.slice(-(policy?.latest?.num_versions || 1));
}
