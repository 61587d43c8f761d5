import { MAX_TIMER_MS } from './clock.js';

/** Whether the work ends in time. When it does not, it goes on, and how it ends is told to nobody. @throws what the work throws in time */
export async function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>(
    (resolve) => (timer = setTimeout(() => resolve(false), Math.min(ms, MAX_TIMER_MS))),
  );
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
