// A line on standard error for people who wait: it comes after a second, counts, and leaves no trace.

import type { Timer } from '../core/clock.js';
import type { SubcommandIo } from './subcommand-io.js';

const EVERY_MS = 1000;
const CLEAR = '\r\x1b[K';

export interface Waiting {
  /** Looked at every second. */
  readonly what: () => string;
  /** Programs see nothing. */
  readonly silent: boolean;
}

export async function withProgress<T>(
  io: SubcommandIo,
  { what, silent }: Waiting,
  work: () => Promise<T>,
): Promise<T> {
  const { clock } = io;
  if (silent || !io.isTerminal.errors) return work();
  const startedAt = clock.now();
  let shown = 0;
  let timer: Timer;
  const show = (): void => {
    const seconds = Math.round((clock.now() - startedAt) / 1000);
    shown++;
    io.writeError(`${CLEAR}${what()} (${seconds} s)`);
    timer = clock.setTimer(show, EVERY_MS);
  };
  timer = clock.setTimer(show, EVERY_MS);
  try {
    return await work();
  } finally {
    clock.clearTimer(timer);
    if (shown > 0) io.writeError(CLEAR);
  }
}
