// The remote models that are compared: the same replicas, different policies.

import { remoteConfig } from '../../runtime/e2e/harness/remote-repository.js';
import type { Work } from '../works/work.js';

interface Policy {
  /** Also the model's name. */
  readonly name: string;
  readonly resilience: string;
}

const HEDGE = 'hedge { delay_quantile: 0.98 budget_percent: 5 }';

export const POLICIES = {
  stalls: [
    { name: 'plain', resilience: '' },
    { name: 'hedged', resilience: HEDGE },
  ],
  kills: [
    { name: 'killed_plain', resilience: '' },
    { name: 'killed_retried', resilience: 'retry { max_attempts: 3 }' },
    { name: 'killed_hedged', resilience: `retry { max_attempts: 3 } ${HEDGE}` },
  ],
} as const satisfies Record<string, readonly Policy[]>;

/** Those of stalls have the replica that stalls, the others do not. */
export function frontConfigs(
  work: Pick<Work, 'name' | 'maxBatchSize'>,
  { stalling, sound }: { readonly stalling: string; readonly sound: string },
): Record<string, string> {
  const config = (endpoints: string, resilience: string): string =>
    remoteConfig(
      { endpoints, model: work.name, ejection_ms: '1000' },
      `max_batch_size: ${work.maxBatchSize}
input { name: "x" data_type: TYPE_FP32 dims: [ 32 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 1 ] }
${resilience === '' ? '' : `resilience { ${resilience} }`}`,
    );
  return Object.fromEntries([
    ...POLICIES.stalls.map(({ name, resilience }) => [name, config(stalling, resilience)]),
    ...POLICIES.kills.map(({ name, resilience }) => [name, config(sound, resilience)]),
  ]) as Record<string, string>;
}
