// Reading of the trace and log settings. Changing them comes with the schedulers; until then it is refused.

import { RuntimeError } from '../core/errors.js';
import type { GrpcMethod } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { inferenceMethod } from './server-service.js';

export interface LogSettings {
  readonly verboseLevel: number;
  readonly info: boolean;
  readonly warning: boolean;
  readonly error: boolean;
  readonly format: string;
  readonly file: string;
}

export function settingsMethods(log: LogSettings): GrpcMethod[] {
  return [
    inferenceMethod('TraceSetting', (request) => {
      refuseChanges(request, 'trace');
      return { settings: TRACE_SETTINGS };
    }),
    inferenceMethod('LogSettings', (request) => {
      refuseChanges(request, 'log');
      return { settings: logSettings(log) };
    }),
  ];
}

// ---- details below; callers need not read ----

/** Tracing is off. */
const TRACE_SETTINGS: Message = {
  trace_level: { value: ['OFF'] },
  trace_rate: { value: ['1000'] },
  trace_count: { value: ['-1'] },
  log_frequency: { value: ['0'] },
  trace_file: { value: [''] },
  trace_mode: { value: ['triton'] },
};

function logSettings(log: LogSettings): Message {
  return {
    log_file: { string_param: log.file },
    log_info: { bool_param: log.info },
    log_warning: { bool_param: log.warning },
    log_error: { bool_param: log.error },
    log_verbose_level: { uint32_param: log.verboseLevel },
    log_format: { string_param: log.format },
  };
}

function refuseChanges(request: Message, what: string): void {
  const names = Object.keys(request['settings'] as object);
  if (names.length === 0) return;
  const text = `changing ${what} settings (${names.join(', ')}) is not supported by this version of inferd; --help lists the flags for the start`;
  throw new RuntimeError('UNSUPPORTED', text);
}
