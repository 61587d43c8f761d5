// The replayer as a whole, on the real server: it must also say no. And what a reader of transcripts refuses.

import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { replay } from './replay.js';
import { batchesOf, parseScenario, type Scenario } from './scenario.js';
import { ServerPool } from './server-pool.js';

const FIXTURES = fileURLToPath(new URL('../golden/models', import.meta.url));
const BASE: Scenario = {
  area: 'own',
  name: 'own',
  repository: 'repo_mixed',
  models: ['good'],
  steps: [],
};

describe('replay', () => {
  const pool = new ServerPool(FIXTURES);
  afterAll(() => pool.close());

  it('reports every step that is not as recorded, and only those', async () => {
    const live = { grpc_code: 'OK', grpc_message: '', response: { live: true } };
    const scenario: Scenario = {
      ...BASE,
      steps: [
        { rpc: 'ServerLive', expect: live },
        { rpc: 'ServerLive', note: 'no', expect: { ...live, response: {} } },
        { rpc: 'ServerReady', request: { no_such_field: 1 }, expect: live },
        { fs: { action: 'write', path: 'good/note.txt', text: 'x' }, expect: { done: true } },
        { fs: { action: 'remove', path: 'nothing' }, expect: { done: true } },
        { wait_exit: 1, expect: { exit_code: 0 } },
        { signal: 'TERM', expect: { done: true } },
        { wait_exit: 20_000, expect: { exit_code: 0 } },
        { rpc: 'ServerLive', deadline_ms: 500, expect: live },
      ],
    };

    const report = await replay(scenario, pool);

    const steps = report.split('\n').filter((line) => line.startsWith('step '));
    expect(steps).toEqual([
      'step 2 ServerLive (no)',
      'step 3 ServerReady',
      'step 5 fs',
      'step 6 wait_exit',
      'step 9 ServerLive',
    ]);
    expect(report).toContain('  response.live: expected nothing, came true');
    expect(report).toContain('no field no_such_field');
    expect(report).toContain('grpc_code: expected "OK", came "UNAVAILABLE"');
  });

  it('reports a server that exits instead of coming up, with its last words', async () => {
    const report = await replay({ ...BASE, models: ['bad'] }, pool);

    expect(report).toMatch(/^server start: expected up, came exit 1\n {2}\| /);
  });

  it('reports a server that comes up instead of exiting', async () => {
    const scenario: Scenario = { ...BASE, ready: 'exit', start_limit_s: 1.5, startup: ['exit', 1] };

    expect(await replay(scenario, pool)).toContain('expected exit 1, came timeout');
  });
});

describe('parseScenario', () => {
  const parse = (scenario: object) => parseScenario(JSON.stringify(scenario), 'x.json');

  it('refuses words it does not know, wherever they stand', () => {
    expect(parse(BASE)).toEqual(BASE);
    expect(() => parse({ ...BASE, flag: [] })).toThrow('x.json: unknown words: flag');
    expect(() => parse({ ...BASE, steps: [{ rcp: 'ServerLive' }] })).toThrow('unknown words: rcp');
    expect(() => parse({ ...BASE, steps: [{ compare: { ignored: [] } }] })).toThrow(
      'unknown words: ignored',
    );
  });
});

describe('batchesOf', () => {
  it('puts neighbours of one group together', () => {
    const groups = [undefined, 'g', 'g', 'h', undefined, undefined, 'g'];
    const steps = groups.map((group) => (group === undefined ? {} : { group }));

    const batches = batchesOf(steps).map(({ first, steps: { length } }) => [first, length]);

    expect(batches).toEqual([[0, 1], [1, 2], [3, 1], [4, 1], [5, 1], [6, 1]]); // prettier-ignore
  });
});
