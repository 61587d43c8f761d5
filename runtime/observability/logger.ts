// The server's log, by pino: for people when stderr is a terminal, JSON otherwise. Written synchronously: the last words of a
// process that ends are the ones that matter. What is written can be changed at any time, where to is settled at the start.

import { pino, type DestinationStream, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { AdjustableLog, LogChanges, LogFields, LogSettings } from '../core/log.js';
import { logSentence } from './log-sentence.js';

export interface LogTerminal {
  readonly isTerminal: boolean;
  readonly isColored: boolean;
}

/** @throws what the system says of a file that cannot be written */
export function createLogger(settings: LogSettings, terminal: LogTerminal): AdjustableLog {
  return new PinoLog(settings, terminal);
}

// ---- details below; callers need not read ----

const STDERR = 2;

/** How lines look: JSON, or for people with one of two forms of the time. */
type Look = 'json' | 'default' | 'ISO8601';

class PinoLog implements AdjustableLog {
  readonly #terminal: LogTerminal;
  /** Made when first wanted and kept: changing to and fro must not leave streams behind. */
  readonly #loggers = new Map<Look, Logger>();
  #settings: LogSettings;
  #logger: Logger;

  constructor(settings: LogSettings, terminal: LogTerminal) {
    this.#settings = settings;
    this.#terminal = terminal;
    this.#logger = this.#fitting();
  }

  get settings(): LogSettings {
    return this.#settings;
  }

  adjust(changes: LogChanges): void {
    this.#settings = { ...this.#settings, ...changes };
    this.#logger = this.#fitting();
  }

  debug(fields: LogFields, message: string): void {
    if (this.#settings.verboseLevel > 0) this.#logger.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    if (this.#settings.info) this.#logger.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    if (this.#settings.warning) this.#logger.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    if (this.#settings.error) this.#logger.error(fields, message);
  }

  #fitting(): Logger {
    const look = this.#look();
    const known = this.#loggers.get(look);
    if (known) return known;
    const made = pino(
      { level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime },
      look === 'json'
        ? pino.destination({ dest: this.#settings.file || STDERR, sync: true })
        : prettyStream(look, this.#terminal.isColored),
    );
    this.#loggers.set(look, made);
    return made;
  }

  #look(): Look {
    const { format, file } = this.#settings;
    if (file !== '' || format === 'json') return 'json';
    if (format === 'ISO8601') return format;
    return this.#terminal.isTerminal ? 'default' : 'json';
  }
}

function prettyStream(look: 'default' | 'ISO8601', isColored: boolean): DestinationStream {
  return PinoPretty({
    destination: STDERR,
    sync: true,
    colorize: isColored,
    hideObject: true,
    messageFormat: logSentence,
    translateTime: look === 'ISO8601' ? 'UTC:yyyy-mm-dd"T"HH:MM:ss.l"Z"' : 'SYS:HH:MM:ss.l',
  });
}
