// What may be the value of a flag, whoever gives it.

import type { Flag } from './flag.js';
import { InvalidOption } from './invalid-option.js';

/** The values in one spelling, or the default. @throws InvalidOption that names the flag */
export function checkedValues(flag: Flag, given: readonly string[] | undefined): readonly string[] {
  if (!given) return flag.default === undefined ? [] : [flag.default];
  if (flag.ineffective) return given;
  return given.map((text) => {
    if (flag.kind === 'boolean') {
      if (TRUE.includes(text.toLowerCase())) return 'true';
      if (FALSE.includes(text.toLowerCase())) return 'false';
      throw new InvalidOption(`--${flag.name} takes true or false, got '${text}'`);
    }
    if (flag.kind === 'integer' && !/^\d+$/.test(text))
      throw new InvalidOption(`--${flag.name} takes a whole number, got '${text}'`);
    if (flag.max !== undefined && Number(text) > flag.max)
      throw new InvalidOption(`--${flag.name} takes a number up to ${flag.max}, got ${text}`);
    if (flag.value.includes('|') && !flag.value.split('|').includes(text))
      throw new InvalidOption(
        `--${flag.name} takes one of ${flag.value.replaceAll('|', ', ')}, got '${text}'`,
      );
    return text;
  });
}

// ---- details below; callers need not read ----

const TRUE = ['true', '1', 'yes', 'on'];
const FALSE = ['false', '0', 'no', 'off'];
