// Callers that keep the slow model busy: as soon as one is answered, it asks again.

import { askBytes, bytesClient } from '../works/infer-answer.js';
import type { IsolationStage } from './isolation-stage.js';

export interface Saturated<T> {
  readonly result: T;
  /** Of the slow model, per request under way. */
  readonly slowAnswers: number;
  readonly seconds: number;
}

/** What `act` finds out while so many callers keep the slow model busy. @throws ServiceError when one of them fails */
export async function whileSaturated<T>(
  { port, slowMessage }: IsolationStage,
  callers: number,
  act: () => Promise<T>,
): Promise<Saturated<T>> {
  const client = bytesClient(`127.0.0.1:${port}`);
  const startedAt = performance.now();
  let wanted = true;
  let slowAnswers = 0;
  const caller = async (): Promise<void> => {
    while (wanted) {
      await askBytes(client, slowMessage);
      slowAnswers++;
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, caller));
  try {
    const result = await Promise.race([act(), calling.then(never)]);
    const seconds = (performance.now() - startedAt) / 1000;
    return { result, slowAnswers, seconds };
  } finally {
    wanted = false;
    await calling.finally(() => client.close());
  }
}

function never(): never {
  throw new Error('the callers of the slow model have stopped by themselves');
}
