// Version numbers as clients write them.

import { RuntimeError } from './errors.js';

/** Stands for "the highest version that is ready". */
export const LATEST = -1;

/** '' is LATEST. Any other text must be a decimal number that is not negative. */
export function parseModelVersion(text: string): number {
  if (text === '') return LATEST;
  const version = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(version)) {
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `failed to get model version from specified version string '${text}' (details: stol), ` +
        'version should be an integral value > 0',
    );
  }
  if (version < 0) {
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `invalid model version specified '${text}' , version should be an integral value > 0`,
    );
  }
  return version;
}
