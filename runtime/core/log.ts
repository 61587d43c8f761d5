// PORT: the log. Fields first, then a sentence, as pino has it; pino is one.

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** 'default': as the destination suits. */
export type LogFormat = 'default' | 'ISO8601' | 'json';

/** What is written, and how. */
export interface LogSettings {
  /** 0: what happens in detail is not told. */
  readonly verboseLevel: number;
  readonly info: boolean;
  readonly warning: boolean;
  readonly error: boolean;
  readonly format: LogFormat;
  /** '': stderr. */
  readonly file: string;
}

/** Where the log goes is settled at the start. */
export type LogChanges = Partial<Omit<LogSettings, 'file'>>;

/** A log whose settings can be changed while it is written. */
export interface AdjustableLog extends Log {
  readonly settings: LogSettings;
  /** From the next line on. */
  adjust(changes: LogChanges): void;
}
