// What the `compare` member of a step may say: where an answer may differ from the recorded one, and how far.

export interface Rules {
  /** Paths that are not compared at all. */
  readonly ignore?: readonly string[];
  /** Paths of lists whose order does not count. */
  readonly set?: readonly string[];
  /** By path: texts that match need not be equal. */
  readonly regex?: Readonly<Record<string, string>>;
  /** By path: what a list must hold; what else it holds is not compared. */
  readonly contains?: Readonly<Record<string, readonly string[]>>;
  /** By path: the least and the greatest number; null: no bound. Compared instead of the recorded number. */
  readonly ranges?: Readonly<Record<string, Range>>;
  /** How far numbers of FP16, FP32 and FP64 outputs may be off. */
  readonly float_tol?: Tolerance;
  /** Status codes of which any will do. */
  readonly codes?: readonly string[];
  /** How the status message is compared; exact when left out. */
  readonly message?: 'exact' | 'regex' | 'code_only';
  readonly message_regex?: string;
  readonly response?: 'ignore';
  /** How long the call may take. */
  readonly ms?: Range;
  /** Of a concurrency group: which request met which end does not count, only how often each end was met. */
  readonly any_order?: boolean;
  /** Position, within the concurrency group, of a step that must end later. */
  readonly ends_before?: number;
  /** false: the order of output tensors counts. Clients find outputs by name, so else it does not. */
  readonly outputs_any_order?: boolean;
}

export type Range = readonly [least: number | null, greatest: number | null];

export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

export const RULE_WORDS: readonly (keyof Rules)[] = [
  ...(['ignore', 'set', 'regex', 'contains', 'ranges', 'float_tol', 'codes', 'message'] as const),
  ...([
    'message_regex',
    'response',
    'ms',
    'any_order',
    'ends_before',
    'outputs_any_order',
  ] as const),
];

export function isWithin(value: number, [least, greatest]: Range): boolean {
  return !(value < (least ?? -Infinity) || value > (greatest ?? Infinity)) && !Number.isNaN(value);
}

/** Patterns are Python's: the only thing that differs in those used here is a leading `(?i)`. A dot is any character. */
export function pattern(text: string): RegExp {
  const anyCase = text.startsWith('(?i)');
  return new RegExp(anyCase ? text.slice(4) : text, anyCase ? 'is' : 's');
}
