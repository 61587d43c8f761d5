// Reading and changing the settings of the log and of traces. A request is taken whole: if anything in it is wrong, nothing changes.

import { RuntimeError } from '../core/errors.js';
import type { AdjustableLog } from '../core/log.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { TraceControl } from '../core/trace-control.js';
import type { GrpcMethod } from './grpc-transport.js';
import { logChangesFrom, logSettingsMessage } from './log-settings.js';
import type { Message } from './message-codec.js';
import { inferenceMethod } from './server-service.js';
import { traceChangesFrom, traceSettingsMessage } from './trace-settings.js';

export interface SettingsParts {
  readonly log: Pick<AdjustableLog, 'settings' | 'adjust'>;
  /** Undefined: there is nowhere to send traces. */
  readonly traces: TraceControl | undefined;
  readonly catalog: Pick<ModelCatalog, 'isReady'>;
}

export function settingsMethods(parts: SettingsParts): GrpcMethod[] {
  return [
    inferenceMethod('TraceSetting', (request) => traceSetting(request, parts)),
    inferenceMethod('LogSettings', (request) => logSettings(request, parts)),
  ];
}

// ---- details below; callers need not read ----

function traceSetting(request: Message, { traces, catalog }: SettingsParts): Message {
  const model = String(request['model_name']);
  if (model !== '' && !catalog.isReady(model, ''))
    throw new RuntimeError('INVALID_ARGUMENT', `Request for unknown model : ${model}`);
  const settings = settingsOf(request);
  if (Object.keys(settings).length > 0) {
    if (!traces) throw nowhereToSend();
    traces.change(model, traceChangesFrom(settings));
  }
  return { settings: traceSettingsMessage(traces?.settings(model)) };
}

function logSettings(request: Message, { log }: SettingsParts): Message {
  const settings = settingsOf(request);
  if (Object.keys(settings).length > 0) log.adjust(logChangesFrom(settings));
  return { settings: logSettingsMessage(log.settings) };
}

function settingsOf(request: Message): Readonly<Record<string, Message>> {
  return request['settings'] as Record<string, Message>;
}

function nowhereToSend(): RuntimeError {
  const text =
    'there is nowhere to send traces: start the server with --trace-config=opentelemetry,url=URL or OTEL_EXPORTER_OTLP_ENDPOINT';
  return new RuntimeError('UNSUPPORTED', text);
}
