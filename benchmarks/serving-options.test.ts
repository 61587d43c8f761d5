import { describe, expect, it } from 'vitest';
import { HELP, servingOptions } from './serving-options.js';

describe('servingOptions', () => {
  it('measures everything five times when nothing is said', () => {
    const options = servingOptions([]);

    expect(options?.works.map(({ name }) => name)).toEqual(['tiny', 'mid', 'big', 'resnet50']);
    expect(options).toMatchObject({ points: undefined, repetitions: 5, docs: false });
  });

  it('takes works, points and repetitions', () => {
    const options = servingOptions(['--works', 'big,tiny', '--points=1x1,4x16', '--reps', '9']);

    expect(options?.works.map(({ name }) => name)).toEqual(['big', 'tiny']);
    expect(options?.points).toEqual([
      { connections: 1, streams: 1 },
      { connections: 4, streams: 16 },
    ]);
    expect(options?.repetitions).toBe(9);
  });

  it.each([
    [['--works', 'huge'], "--works: there is no 'huge'"],
    [['--points', '4'], "--points: '4' is not of the form 4x16"],
    [['--reps', '0'], "--reps: '0' is not a number from 1 to 999"],
    [['--loader', 'wrk'], "--loader: 'wrk' is neither h2load nor own"],
    [['--docs', '--quick'], '--docs tells of whole runs'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j', (args, text) => {
    expect(() => servingOptions(args)).toThrow(text);
  });

  it('has a text about every flag', () => {
    expect(servingOptions(['--help'])).toBeUndefined();
    for (const flag of ['works', 'points', 'reps', 'quick', 'loader', 'json', 'docs', 'from'])
      expect(HELP).toContain(`\n  --${flag} `);
  });
});
