import { describe, expect, it } from 'vitest';
import { answerOf, failureOf, inferenceNames } from '../testing/ask-service.js';
import { GRPC } from './grpc-status.js';
import type { Message } from './message-codec.js';
import { settingsMethods, type LogSettings } from './settings-service.js';

const LOG: LogSettings = {
  verboseLevel: 2,
  info: true,
  warning: false,
  error: true,
  format: 'ISO8601',
  file: 'server.log',
};

const methods = settingsMethods(LOG);

async function settings(name: string, request: Message = {}): Promise<unknown> {
  return (await answerOf(methods, inferenceNames(name), request))['settings'];
}

describe('TraceSetting', () => {
  it('shows that nothing is traced, for all models and for one', async () => {
    const off = {
      trace_level: { value: ['OFF'] },
      trace_rate: { value: ['1000'] },
      trace_count: { value: ['-1'] },
      log_frequency: { value: ['0'] },
      trace_file: { value: [''] },
      trace_mode: { value: ['triton'] },
    };

    expect(await settings('TraceSetting')).toEqual(off);
    expect(await settings('TraceSetting', { model_name: 'm' })).toEqual(off);
  });
});

describe('LogSettings', () => {
  it('shows how the server logs', async () => {
    expect(await settings('LogSettings')).toMatchObject({
      log_file: { string_param: 'server.log' },
      log_info: { bool_param: true },
      log_warning: { bool_param: false },
      log_error: { bool_param: true },
      log_verbose_level: { uint32_param: 2 },
      log_format: { string_param: 'ISO8601' },
    });
  });

  it('sends values that are false, 0 or empty, too', async () => {
    const quiet = settingsMethods({ ...LOG, verboseLevel: 0, error: false, file: '' });

    const { settings: shown } = await answerOf(quiet, inferenceNames('LogSettings'));

    expect(shown).toMatchObject({
      log_file: { parameter_choice: 'string_param' },
      log_error: { parameter_choice: 'bool_param' },
      log_verbose_level: { parameter_choice: 'uint32_param' },
    });
  });
});

describe('changing settings', () => {
  it.each([
    [
      'TraceSetting',
      { settings: { trace_level: { value: ['TIMESTAMPS'] }, trace_rate: { value: [] } } },
      'changing trace settings (trace_level, trace_rate) is not supported by this version of inferd; --help lists the flags for the start',
    ],
    [
      'LogSettings',
      { settings: { log_info: { bool_param: false } } },
      'changing log settings (log_info) is not supported by this version of inferd; --help lists the flags for the start',
    ],
  ])('by %s is refused by name', async (name, request, message) => {
    expect(await failureOf(methods, inferenceNames(name), request)).toEqual({
      code: GRPC.UNIMPLEMENTED,
      message,
    });
  });
});
