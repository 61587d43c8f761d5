// The log of the program that the server is part of, or none, as the server's: what is written can be changed, how is the program's.

import type { AdjustableLog, Log, LogChanges, LogFields, LogSettings } from '../core/log.js';

export class HostLog implements AdjustableLog {
  readonly #log: Log | undefined;
  #settings: LogSettings;

  /** Undefined: nothing is written. */
  constructor(log: Log | undefined, settings: LogSettings) {
    this.#log = log;
    this.#settings = settings;
  }

  get settings(): LogSettings {
    return this.#settings;
  }

  adjust(changes: LogChanges): void {
    this.#settings = { ...this.#settings, ...changes };
  }

  debug(fields: LogFields, message: string): void {
    if (this.#settings.verboseLevel > 0) this.#log?.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    if (this.#settings.info) this.#log?.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    if (this.#settings.warning) this.#log?.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    if (this.#settings.error) this.#log?.error(fields, message);
  }
}
