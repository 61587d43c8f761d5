// Whether the decoupled steps of an ensemble can be followed: an answer of the ensemble belongs to one answer of each of them, so that each
// must be behind the one before. Two side by side would leave open which answers belong together. Pure.

import type { ConfigProblem } from './config-problem.js';
import type { PartConfig } from './ensemble-config.js';
import { stepsBehind } from './steps-behind.js';

export interface CheckedStep {
  readonly config: PartConfig;
  readonly decoupled: boolean;
}

/** `decoupled`: what the ensemble's configuration says of itself. */
export function decoupledProblems(
  whole: { readonly name: string; readonly decoupled: boolean },
  steps: readonly CheckedStep[],
): ConfigProblem[] {
  const streams = steps.flatMap(({ decoupled }, index) => (decoupled ? [index] : []));
  const [first] = streams;
  if (first === undefined) return [];
  if (!whole.decoupled) return [undeclared(whole.name, steps[first]!.config)];
  const configs = steps.map(({ config }) => config);
  const behind = streams.map((index) => stepsBehind(index, configs));
  return streams.flatMap((one, at) =>
    streams.slice(at + 1).flatMap((other, after): ConfigProblem[] => {
      if (behind[at]!.has(other) || behind[at + 1 + after]!.has(one)) return [];
      const asks = (index: number): string =>
        `step ${index}, which asks '${steps[index]!.config.model.name}'`;
      const text =
        `in ensemble ${whole.name}, ${asks(one)}, and ${asks(other)}, both answer any number of times (decoupled): ` +
        'one must be behind the other';
      return [{ path: `ensemble_scheduling.step[${other}]`, message: text }];
    }),
  );
}

// ---- details below; callers need not read ----

function undeclared(name: string, { model }: PartConfig): ConfigProblem {
  const text =
    `in ensemble ${name}, model '${model.name}' answers a request any number of times (decoupled), and so does the ` +
    'ensemble: it must say model_transaction_policy { decoupled: true }';
  return { path: 'model_transaction_policy', message: text };
}
