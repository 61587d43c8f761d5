// One request, and perhaps a second one to another address: the first good answer wins and the other is cancelled. What a server
// refuses for good ends both. What may be tried again ends a leg; when no leg is left, the first error is the call's.

import { InferdError } from './inferd-error.js';
import type { Answer, Leg } from './leg.js';

export interface Hedge {
  /** Calls `fn` when the second request is due, or due `again`; returns what cancels that. */
  readonly schedule: (fn: () => void, again: boolean) => () => void;
  /** The second request; 'not yet' while no other server is ready or the budget is spent, 'never' when there is one server. */
  readonly second: () => Leg | 'not yet' | 'never';
}

/** The signal is the call's. */
export function hedgedRequest(first: Leg, hedge: Hedge, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const legs = new AbortController();
    let running = 0;
    let firstError: Error | undefined;
    const cancelAll = (): void => legs.abort(signal.reason);
    const settle = (act: () => void): void => {
      stopTimer();
      signal.removeEventListener('abort', cancelAll);
      act();
      legs.abort(new InferdError('CANCELLED', 'another request was faster'));
    };
    const start = (leg: Leg): void => {
      running++;
      leg(legs.signal).then(
        (answer) => settle(() => resolve(answer)),
        (reason: unknown) => {
          const error = reason as Error;
          running--;
          firstError ??= error;
          // A refusal by the second may be that server's alone; the first may still be answered.
          if (leg === first && !isRetriable(error)) settle(() => reject(error));
          else if (running === 0) settle(() => reject(firstError!));
        },
      );
    };
    const sendSecond = (): void => {
      const second = hedge.second();
      if (second === 'not yet') stopTimer = hedge.schedule(sendSecond, true);
      else if (second !== 'never') start(second);
    };
    let stopTimer = hedge.schedule(sendSecond, false);
    signal.addEventListener('abort', cancelAll);
    start(first);
    if (signal.aborted) cancelAll();
  });
}

/** Whether the same request may succeed at another time or address. */
export function isRetriable(error: unknown): boolean {
  return error instanceof InferdError && error.code === 'UNAVAILABLE';
}
