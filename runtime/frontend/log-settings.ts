// The messages of LogSettings <-> the settings of the log. Texts of refusals are Triton's, which takes no notice of unknown names.

import { RuntimeError } from '../core/errors.js';
import type { LogChanges, LogFormat, LogSettings } from '../core/log.js';
import type { Message } from './message-codec.js';

export function logSettingsMessage(settings: LogSettings): Message {
  return {
    log_file: { string_param: settings.file },
    log_info: { bool_param: settings.info },
    log_warning: { bool_param: settings.warning },
    log_error: { bool_param: settings.error },
    log_verbose_level: { uint32_param: settings.verboseLevel },
    log_format: { string_param: settings.format },
  };
}

/** What `settings` of a request ask for, all of it in order. @throws RuntimeError INVALID_ARGUMENT, or UNSUPPORTED for the file */
export function logChangesFrom(settings: Readonly<Record<string, Message>>): LogChanges {
  if ('log_file' in settings) {
    const text = 'log file location can not be updated through network protocol';
    throw new RuntimeError('UNSUPPORTED', text);
  }
  const changes: { -readonly [Key in keyof LogChanges]: LogChanges[Key] } = {};
  for (const [name, setting] of Object.entries(settings)) {
    switch (name) {
      case 'log_info':
        changes.info = value(name, setting, BOOL) as boolean;
        break;
      case 'log_warning':
        changes.warning = value(name, setting, BOOL) as boolean;
        break;
      case 'log_error':
        changes.error = value(name, setting, BOOL) as boolean;
        break;
      case 'log_verbose_level':
        changes.verboseLevel = value(name, setting, UINT32) as number;
        break;
      case 'log_format':
        changes.format = formatFrom(value(name, setting, STRING) as string);
        break;
      default:
        throw unknown(name);
    }
  }
  return changes;
}

// ---- details below; callers need not read ----

interface Kind {
  readonly field: string;
  /** In errors. */
  readonly calls: string;
}

const BOOL: Kind = { field: 'bool_param', calls: 'boolean' };
const UINT32: Kind = { field: 'uint32_param', calls: 'int32' };
const STRING: Kind = { field: 'string_param', calls: 'string' };

const FORMATS: readonly LogFormat[] = ['default', 'ISO8601', 'json'];

function value(name: string, setting: Message, { field, calls }: Kind): unknown {
  if (setting['parameter_choice'] === field) return setting[field];
  throw new RuntimeError('INVALID_ARGUMENT', `expect ${calls} for '${name}'`);
}

function formatFrom(text: string): LogFormat {
  const format = FORMATS.find((known) => known === text);
  if (format) return format;
  throw new RuntimeError('INVALID_ARGUMENT', `invalid argument for log_format, got: ${text}`);
}

function unknown(name: string): RuntimeError {
  const known = 'log_info, log_warning, log_error, log_verbose_level, log_format';
  const text = `there is no log setting '${name}'; what can be changed is ${known}`;
  return new RuntimeError('INVALID_ARGUMENT', text);
}
