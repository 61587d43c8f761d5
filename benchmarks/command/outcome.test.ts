import { describe, expect, it } from 'vitest';
import { atLeast, atMost } from '../report/claim.js';
import { documentText, terminalText, type BenchRecord } from './outcome.js';

const RECORD: BenchRecord = {
  bench: 'bench:x',
  date: '2026-11-20T10:00:00.000Z',
  machine: { processor: 'P', cores: 2, node: '20.1.0', grpcJs: '1.2.3', onnxRuntime: '1.30.0' },
  tables: [{ head: ['', 'ms'], rows: [['load', '7']] }],
  notes: ['Nothing else ran.'],
  claims: [atMost('p99 ÷ p99', 1.2345, 1.5), atLeast('given back', 0.5, 0.6)],
  figures: {},
};

describe('an outcome', () => {
  it('is a table, what there is to say, and what holds, in a terminal', () => {
    expect(terminalText(RECORD)).toBe(
      '      ms\nload   7\n\nNothing else ran.\n\n' +
        'p99 ÷ p99: 1.23, at most 1.5 wanted: met\ngiven back: 0.500, at least 0.6 wanted: missed\n',
    );
  });

  it('says in a document where it is from', () => {
    const text = documentText(RECORD);

    expect(text).toMatch(/^2026-11-20, P, 2 cores, Node\.js 20\.1\.0, /);
    expect(text).toContain('| load | 7 |');
    expect(text).toMatch(/wanted: missed\n\n- Nothing else ran\.$/);
  });
});

describe('a claim', () => {
  it('does not hold of a figure that is missing', () => {
    expect([atMost('it', NaN, 1).holds, atLeast('it', NaN, 1).holds]).toEqual([false, false]);
  });
});
