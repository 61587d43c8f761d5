// Plays the transcripts of a real Triton against the built server; golden/README.md says what they are.
// GOLDEN=area,area/scenario,... or GOLDEN=all plays exactly those, expected or not.

import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { replay } from './replay/replay.js';
import { loadScenarios, type Scenario } from './replay/scenario.js';
import { ServerPool } from './replay/server-pool.js';

/** What inferd does not do yet, by area or scenario. A line goes when its feature comes. */
const NOT_YET: Readonly<Record<string, string>> = {
  'explicit/ensemble_dependents': 'pipelines',
  ensemble: 'pipelines',
};

const FIXTURES = fileURLToPath(new URL('golden/models', import.meta.url));
const SCENARIOS = loadScenarios(fileURLToPath(new URL('golden/transcripts', import.meta.url)));
const CHOSEN = process.env['GOLDEN']?.split(',');

const nameOf = ({ area, name }: Scenario): string => `${area}/${name}`;

describe('transcripts of Triton', () => {
  const pool = new ServerPool(FIXTURES);
  afterAll(() => pool.close());

  for (const scenario of SCENARIOS) {
    const name = nameOf(scenario);
    it(name, async ({ skip }) => {
      if (CHOSEN)
        skip(!['all', scenario.area, name].some((word) => CHOSEN.includes(word)), 'not chosen');
      else skip(reasonToSkip(scenario) !== undefined, `not yet: ${reasonToSkip(scenario) ?? ''}`);

      const report = await replay(scenario, pool);

      if (report !== '') throw new Error(`${name} is not as recorded\n${report}`);
    });
  }
});

it('leaves out and chooses nothing that does not exist', () => {
  const known = new Set(SCENARIOS.flatMap((scenario) => [scenario.area, nameOf(scenario)]));
  const named = [...Object.keys(NOT_YET), ...(CHOSEN ?? [])];

  expect(named.filter((name) => name !== 'all' && !known.has(name))).toEqual([]);
});

function reasonToSkip(scenario: Scenario): string | undefined {
  return NOT_YET[scenario.area] ?? NOT_YET[nameOf(scenario)];
}
