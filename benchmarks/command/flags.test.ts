import { describe, expect, it } from 'vitest';
import { helpText, parseFlags, type BenchFlag } from './flags.js';

const OWN: BenchFlag[] = [
  { name: 'rounds', value: 'N', text: 'how often', default: '5' },
  { name: 'library', value: 'PATH', text: 'another library' },
];

describe('parseFlags', () => {
  it('takes defaults where nothing is said', () => {
    const values = parseFlags([], OWN);

    expect(values.count('rounds', 100)).toBe(5);
    expect([values.text('library'), values.has('docs')]).toEqual([undefined, false]);
  });

  it('takes what is said', () => {
    const values = parseFlags(['--rounds=7', '--library', 'x', '--docs', '--json=f'], OWN);

    expect(values.count('rounds', 100)).toBe(7);
    expect([values.text('library'), values.has('docs'), values.text('json')]).toEqual([
      'x',
      true,
      'f',
    ]);
  });

  it.each(['0', '101', '1.5', 'x', '-1'])('refuses %s for a count', (text) => {
    const values = parseFlags([`--rounds=${text}`], OWN);

    expect(() => values.count('rounds', 100)).toThrow(`'${text}' is not a number from 1 to 100`);
  });

  it('refuses what it does not know', () => {
    expect(() => parseFlags(['--fast'], OWN)).toThrow("Unknown option '--fast'");
  });
});

describe('helpText', () => {
  it('has a line for every flag, with its default', () => {
    const text = helpText({ command: 'bench:x', about: 'About it.', flags: OWN });

    expect(text).toContain('npm run bench:x -- [FLAGS]\n\nAbout it.\n');
    expect(text).toMatch(/ {2}--rounds N +how often \(5\)\n {2}--library PATH +another library\n/);
    for (const flag of ['json FILE', 'docs', 'help']) expect(text).toContain(`\n  --${flag} `);
  });
});
