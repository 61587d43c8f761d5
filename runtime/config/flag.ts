// One flag of the command line, and the ways to write one down.

import { MAX_TIMER_MS } from '../core/clock.js';

export interface Flag {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'boolean';
  /** What stands for the value in --help; for a choice, the values joined by |. */
  readonly value: string;
  readonly help: string;
  /** Of an integer: the largest value. */
  readonly max?: number;
  /** As text, the way it would be written; undefined: unset. */
  readonly default?: string;
  readonly repeatable?: true;
  /** The sentence for the warning when it is set and does nothing. */
  readonly ineffective?: string;
}

export interface FlagGroup {
  readonly title: string;
  readonly flags: readonly Flag[];
}

type Extra = Pick<Flag, 'default' | 'repeatable'>;

export function text(
  name: string,
  value: string,
  ...[help, extra]: [help: string, extra?: Extra]
): Flag {
  return { name, kind: 'text', value, help, ...extra };
}

export function integer(
  name: string,
  value: string,
  ...[help, standard]: [help: string, standard: string]
): Flag {
  // Numbers of milliseconds become timers; none of the others needs to be larger.
  const max =
    value === 'PORT'
      ? 65_535
      : value === 'SECONDS'
        ? Math.floor(MAX_TIMER_MS / 1000)
        : MAX_TIMER_MS;
  return { name, kind: 'integer', value, help, default: standard, max };
}

export function boolean(name: string, help: string, standard: string): Flag {
  return { name, kind: 'boolean', value: 'BOOL', help, default: standard };
}

export function later(
  name: string,
  value: string,
  ...[help, standard]: [help: string, standard?: string]
): Flag {
  const ineffective = 'this version of inferd does not act on it yet';
  const flag: Flag = {
    name,
    kind: 'text',
    value,
    help: `${help} Not yet.`,
    repeatable: true,
    ineffective,
  };
  return standard === undefined ? flag : { ...flag, default: standard };
}

export function none(name: string, value: string, why: string): Flag {
  return {
    name,
    kind: 'text',
    value,
    help: `No effect: ${why}.`,
    repeatable: true,
    ineffective: why,
  };
}
