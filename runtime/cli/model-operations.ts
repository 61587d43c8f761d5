// The same call for several models, side by side: all are tried, and each outcome is told.

import { InferdError } from 'inferd-client';
import type { Clock } from '../core/clock.js';
import { isNotThere, oneLine, toldError } from './told-error.js';

export interface Outcome {
  readonly name: string;
  readonly ms: number;
  readonly error?: InferdError;
}

/** In the order of the names. @throws InferdError when there is no server: that is not to be told for each model */
export function tryAll(
  names: readonly string[],
  clock: Clock,
  operation: (name: string) => Promise<void>,
): Promise<Outcome[]> {
  const outcomes = [...new Set(names)].map(async (name): Promise<Outcome> => {
    const startedAt = clock.now();
    try {
      await operation(name);
      return { name, ms: clock.now() - startedAt };
    } catch (error) {
      if (!(error instanceof InferdError) || isNotThere(error)) throw error;
      return { name, ms: clock.now() - startedAt, error };
    }
  });
  return Promise.all(outcomes);
}

/** The server's own words, with a hint where there is one. */
export function failureText({ name, error }: Required<Pick<Outcome, 'name' | 'error'>>): string {
  const told = toldError(error);
  return `inferd: ${name}: ${told === oneLine(error.message) ? oneLine(error.details) : told}\n`;
}

/** For JSON. */
export function failureOf({ code, details }: InferdError): object {
  return { code, message: details.trim() };
}
