// What a cascade is made of: its stages, cheapest first, and the rules by which a row leaves after one. Compiled once from
// cascade_scheduling, frozen, durations in milliseconds.

import { partConfig, type PartConfig } from './ensemble-config.js';
import type {
  CascadeStageMessage,
  ExitRuleMessage,
  ModelConfigMessage,
} from './model-config-message.js';

export const CASCADE_PLATFORM = 'cascade';

/** Outputs that no stage writes: the server provides them where the configuration declares them. */
export const CASCADE_STAGE = 'CASCADE_STAGE';
export const CASCADE_DECISION = 'CASCADE_DECISION';

export function isProvided(output: string): boolean {
  return output === CASCADE_STAGE || output === CASCADE_DECISION;
}

export type ExitTest =
  | { readonly kind: 'above' | 'below' | 'equals'; readonly value: number }
  | { readonly kind: 'equals_string'; readonly value: string };

/** A row for which it holds is finished. */
export interface ExitRule {
  /** A tensor of the cascade. */
  readonly tensor: string;
  /** Element within the row; ANY_ELEMENT: whichever. */
  readonly index: number;
  readonly test: ExitTest;
  /** What it decides, for CASCADE_DECISION. */
  readonly decision: string;
}

export const ANY_ELEMENT = -1;

/** A stage that continues passes its rows on when it fails. */
export interface StageConfig extends PartConfig {
  /** The first one that holds for a row decides. */
  readonly exits: readonly ExitRule[];
}

export interface CascadeConfig {
  readonly stages: readonly StageConfig[];
}

/** Undefined: it is no cascade. `message` must be valid (validate-cascade). */
export function cascadeConfig({
  cascade_scheduling: cascade,
}: ModelConfigMessage): CascadeConfig | undefined {
  if (!cascade) return undefined;
  return Object.freeze({ stages: Object.freeze((cascade.stage ?? []).map(stageConfig)) });
}

/** The tests of a rule that are set; a valid rule has one. */
export function exitTests(rule: ExitRuleMessage): ExitTest[] {
  const tests: ExitTest[] = [];
  for (const kind of ['above', 'below', 'equals'] as const) {
    const value = rule[kind];
    if (value !== undefined) tests.push({ kind, value });
  }
  if (rule.equals_string !== undefined)
    tests.push({ kind: 'equals_string', value: rule.equals_string });
  return tests;
}

/** For people: "score[1] above 0.9", "label equals 'spam'". */
export function formatExitRule({ tensor, index, test }: ExitRule): string {
  const element = { [ANY_ELEMENT]: '[any]', 0: '' }[index] ?? `[${index}]`;
  const kind = test.kind === 'equals_string' ? 'equals' : test.kind;
  return `${tensor}${element} ${kind} ${typeof test.value === 'string' ? `'${test.value}'` : test.value}`;
}

// ---- details below; callers need not read ----

function stageConfig(stage: CascadeStageMessage): StageConfig {
  const exits = (stage.exit_when ?? []).map((rule) => ({
    tensor: rule.tensor ?? '',
    index: rule.index ?? 0,
    test: exitTests(rule)[0]!,
    decision: rule.decision ?? '',
  }));
  return Object.freeze({ ...partConfig(stage), exits: Object.freeze(exits) });
}
