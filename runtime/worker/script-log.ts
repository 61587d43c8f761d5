// What a model logs, on its way to the main thread: as text that can be sent whatever it was, cut where it is long, and not more of it
// than a log can take: a loop that logs must not fill the memory of the server.

import { format, inspect } from 'node:util';
import type { Log } from './model-api.js';
import type { ScriptOutput } from './script-protocol.js';
import { LONGEST_TEXT, shortText } from './short-text.js';

/** Of one instance; what is more is counted. */
export const MOST_LINES_A_SECOND = 500;
const MOST_FIELDS = 64;
const SECOND_MS = 1000;

type LogOutput = Extract<ScriptOutput, { kind: 'log' }>;
type Level = LogOutput['level'];

export interface ScriptLogParts {
  readonly send: (line: LogOutput) => void;
  /** With the author's positions. */
  readonly translated: (text: string) => string;
  readonly now: () => number;
}

/** Its functions need not be called as its members. */
export class ScriptLog implements Log {
  readonly #parts: ScriptLogParts;
  #since = -Infinity;
  #lines = 0;

  constructor(parts: ScriptLogParts) {
    this.#parts = parts;
  }

  readonly debug = this.#teller('debug');
  readonly info = this.#teller('info');
  readonly warn = this.#teller('warn');
  readonly error = this.#teller('error');

  /** Tells of what has been left out; also the first line of another second does. */
  flush(): void {
    const left = this.#lines - MOST_LINES_A_SECOND;
    this.#lines = 0;
    if (left <= 0) return;
    const most = `a model may log ${MOST_LINES_A_SECOND} lines a second`;
    this.#send('warn', `${left} lines were left out: ${most}`, {});
  }

  /** What takes the place of a console's functions that write lines. */
  get console(): Readonly<Record<Level | 'log', (...args: unknown[]) => void>> {
    const writing =
      (level: Level) =>
      (...args: unknown[]) => {
        if (this.#hasRoom()) this.#send(level, format(...args), {});
      };
    const log = writing('info');
    return {
      debug: writing('debug'),
      log,
      info: log,
      warn: writing('warn'),
      error: writing('error'),
    };
  }

  // ---- details below; callers need not read ----

  #teller(level: Level): (message: unknown, fields?: unknown) => void {
    return (message, fields) => {
      if (!this.#hasRoom()) return;
      this.#send(level, typeof message === 'string' ? message : inspect(message), fields);
    };
  }

  #hasRoom(): boolean {
    const now = this.#parts.now();
    if (now - this.#since >= SECOND_MS) this.flush();
    if (this.#lines === 0) this.#since = now;
    return ++this.#lines <= MOST_LINES_A_SECOND;
  }

  #send(level: Level, message: string, fields: unknown): void {
    this.#parts.send({
      kind: 'log',
      level,
      message: this.#short(message),
      fields: this.#plain(fields),
    });
  }

  /** What can be sent to another thread whatever it is. */
  #plain(fields: unknown): Record<string, unknown> {
    if (typeof fields !== 'object' || fields === null) return {};
    if (fields instanceof Error || Array.isArray(fields))
      return { value: this.#short(inspect(fields)) };
    const entries = Object.entries(fields).slice(0, MOST_FIELDS);
    return Object.fromEntries(entries.map(([key, value]) => [fieldName(key), this.#value(value)]));
  }

  #value(value: unknown): unknown {
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    return this.#short(typeof value === 'string' ? value : inspect(value));
  }

  #short(text: string): string {
    return this.#parts.translated(text.slice(0, LONGEST_TEXT)).slice(0, LONGEST_TEXT);
  }
}

// ---- details below; callers need not read ----

/** What every line of the log has already: a second one would hide it. */
const TAKEN = ['level', 'time', 'msg'];

function fieldName(key: string): string {
  return TAKEN.includes(key) ? `${key}_` : shortText(key);
}
