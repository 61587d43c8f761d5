// Plays the transcripts of a real Triton against the built server; golden/README.md says what they are.
// GOLDEN=area,area/scenario,... plays only those.

import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { replay } from './replay/replay.js';
import { loadScenarios, type Scenario } from './replay/scenario.js';
import { ServerPool } from './replay/server-pool.js';

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
      const isChosen = !CHOSEN || [scenario.area, name].some((word) => CHOSEN.includes(word));
      skip(!isChosen, 'not chosen');

      const report = await replay(scenario, pool);

      if (report !== '') throw new Error(`${name} is not as recorded\n${report}`);
    });
  }
});

it('chooses nothing that does not exist', () => {
  const known = new Set(SCENARIOS.flatMap((scenario) => [scenario.area, nameOf(scenario)]));

  expect((CHOSEN ?? []).filter((name) => !known.has(name))).toEqual([]);
});
