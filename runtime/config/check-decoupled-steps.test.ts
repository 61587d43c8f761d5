import { describe, expect, it } from 'vitest';
import { decoupledProblems, type CheckedStep } from './check-decoupled-steps.js';

/** "d!: I > t": model d, decoupled. */
function step(text: string): CheckedStep {
  const [, name, mark, reads, writes] = /^(\w+)(!?): (.*) > (.*)$/.exec(text)!;
  const links = (names: string): { part: string; whole: string }[] =>
    names.split(' ').map((whole) => ({ part: whole, whole }));
  return {
    config: {
      ...{ model: { name: name!, version: 0 }, inputs: links(reads!), outputs: links(writes!) },
      ...{ timeoutMs: Infinity, continues: false },
    },
    decoupled: mark === '!',
  };
}

const problemsOf = (steps: readonly string[], decoupled = true): string[] =>
  decoupledProblems({ name: 'e', decoupled }, steps.map(step)).map(
    ({ path, message }) => `${path}: ${message}`,
  );

describe('decoupled steps', () => {
  it.each([
    [['a: I > t', 'b: t > O']],
    [['a!: I > t', 'b: t > O', 'c: I > P']],
    [['a!: I > t', 'b: t > u', 'c!: u > O']],
    // Written in another order than they run.
    [['c!: u > O', 'b: t > u', 'a!: I > t']],
  ])('may be any number, one behind the other: %j', (steps) => {
    expect(problemsOf(steps)).toEqual([]);
  });

  it('need an ensemble that is decoupled itself', () => {
    expect(problemsOf(['a: I > t', 'b!: t > O'], false)).toEqual([
      "model_transaction_policy: in ensemble e, model 'b' answers a request any number of times (decoupled), and so does the ensemble: it must say model_transaction_policy { decoupled: true }",
    ]);
  });

  it.each([[['a!: I > t', 'b!: I > u', 'c: t u > O']], [['a!: I > t', 'b!: I > O', 'c: t > P']]])(
    'cannot be side by side: %j',
    (steps) => {
      expect(problemsOf(steps)).toEqual([
        "ensemble_scheduling.step[1]: in ensemble e, step 0, which asks 'a', and step 1, which asks 'b', both answer any number of times (decoupled): one must be behind the other",
      ]);
    },
  );
});
