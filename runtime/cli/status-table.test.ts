import { describe, expect, it } from 'vitest';
import { statusTable } from './status-table.js';

describe('statusTable', () => {
  it('shows what is ready and everything that is wrong', () => {
    const table = statusTable(
      [
        { name: 'good', version: 1, state: 'READY', reason: '' },
        { name: 'bad', version: 2, state: 'UNAVAILABLE', reason: 'Internal: no' },
        { name: 'worse', state: '', reason: '' },
        { name: 'unasked', state: '', reason: '' },
      ],
      new Map([['worse', ['config.pbtxt:1:2: first problem', 'second problem']]]),
    );

    expect(table).toMatch(/good +│ 1 +│ READY +│ +│/);
    expect(table).toMatch(/bad +│ 2 +│ UNAVAILABLE +│ Internal: no/);
    expect(table).toMatch(/worse +│ +│ UNAVAILABLE +│ config\.pbtxt:1:2: first problem/);
    expect(table).toMatch(/│ second problem/);
    expect(table).toMatch(/unasked +│ +│ not loaded/);
  });

  it('leaves the reasons out when all is well', () => {
    const table = statusTable(
      [{ name: 'good', version: 1, state: 'READY', reason: '' }],
      new Map(),
    );

    expect(table).not.toContain('Reason');
  });

  it('shows failed models that the index leaves out', () => {
    expect(statusTable([], new Map([['hollow', ['no versions']]]))).toMatch(
      /hollow .* UNAVAILABLE .* no versions/,
    );
  });

  it('says so when there are no models', () => {
    expect(statusTable([], new Map())).toBe('No models in the repository.');
  });
});
