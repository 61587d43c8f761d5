// What a subcommand sees of the process, and so what a test stands in for.

import type { Clock } from '../core/clock.js';

export interface SubcommandIo {
  write(text: string): void;
  writeError(text: string): void;
  readFile(path: string): Promise<Uint8Array>;
  writeFile(path: string, text: string): Promise<void>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a person sees what is written, and what is written on errors. */
  readonly isTerminal: { readonly output: boolean; readonly errors: boolean };
  /** Its timers keep the process alive. */
  readonly clock: Clock;
  /** Aborts with Ctrl-C, which from then on does not end the process by itself. */
  interrupted(): AbortSignal;
}
