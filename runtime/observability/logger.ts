// The server's log, by pino: for people when stderr is a terminal, JSON otherwise. Written synchronously: the last words of a
// process that ends are the ones that matter.

import { pino, type DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Log } from '../core/log.js';
import { logSentence } from './log-sentence.js';

export interface LoggerOptions {
  readonly verboseLevel: number;
  readonly info: boolean;
  readonly warning: boolean;
  readonly error: boolean;
  /** 'default': as the destination suits. */
  readonly format: 'default' | 'ISO8601' | 'json';
  /** '': stderr. */
  readonly file: string;
}

export interface LogTerminal {
  readonly isTerminal: boolean;
  readonly isColored: boolean;
}

/** @throws what the system says of a file that cannot be written */
export function createLogger(options: LoggerOptions, terminal: LogTerminal): Log {
  const { isTerminal, isColored } = terminal;
  const { format, file } = options;
  const pretty = file === '' && (format === 'ISO8601' || (format === 'default' && isTerminal));
  const logger = pino(
    { level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pretty
      ? prettyStream(format, isColored)
      : pino.destination({ dest: file || STDERR, sync: true }),
  );
  const write = (level: Level, enabled: boolean): Log[Level] =>
    enabled ? (fields, message) => logger[level](fields, message) : () => undefined;
  return {
    debug: write('debug', options.verboseLevel > 0),
    info: write('info', options.info),
    warn: write('warn', options.warning),
    error: write('error', options.error),
  };
}

type Level = keyof Log;

const STDERR = 2;

function prettyStream(format: LoggerOptions['format'], isColored: boolean): DestinationStream {
  return PinoPretty({
    destination: STDERR,
    sync: true,
    colorize: isColored,
    hideObject: true,
    messageFormat: logSentence,
    translateTime: format === 'ISO8601' ? 'UTC:yyyy-mm-dd"T"HH:MM:ss.l"Z"' : 'SYS:HH:MM:ss.l',
  });
}
