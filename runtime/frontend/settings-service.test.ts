import { describe, expect, it } from 'vitest';
import type { LogChanges, LogSettings } from '../core/log.js';
import type { TraceChanges, TraceControl } from '../core/trace-control.js';
import { answerOf, failureOf, inferenceNames } from '../testing/ask-service.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { GRPC } from './grpc-status.js';
import type { GrpcMethod, GrpcStatus } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { settingsMethods } from './settings-service.js';

const LOG: LogSettings = {
  verboseLevel: 2,
  info: true,
  warning: false,
  error: true,
  format: 'ISO8601',
  file: 'server.log',
};

class FakeLog {
  settings = LOG;
  adjust(changes: LogChanges): void {
    this.settings = { ...this.settings, ...changes };
  }
}

class FakeTraces implements TraceControl {
  readonly changed: [string, TraceChanges][] = [];
  settings(model: string): ReturnType<TraceControl['settings']> {
    return { isOn: true, rate: model === '' ? 1 : 5, count: -1, logFrequency: 0 };
  }
  change(model: string, changes: TraceChanges): void {
    this.changed.push([model, changes]);
  }
}

function methodsOf({ log = new FakeLog(), traces = undefined as TraceControl | undefined } = {}) {
  return settingsMethods({ log, traces, catalog: new FakeCatalog().serve(aServedModel()) });
}

async function ask(methods: GrpcMethod[], name: string, request: Message = {}): Promise<Message> {
  const { settings } = await answerOf(methods, inferenceNames(name), request);
  return settings as Message;
}

function refusal(methods: GrpcMethod[], name: string, settings: Message): Promise<GrpcStatus> {
  return failureOf(methods, inferenceNames(name), { settings });
}

const values = (...value: string[]): Message => ({ value });

describe('LogSettings', () => {
  it('shows how the server logs', async () => {
    expect(await ask(methodsOf(), 'LogSettings')).toMatchObject({
      log_file: { string_param: 'server.log' },
      log_info: { bool_param: true },
      log_warning: { bool_param: false },
      log_error: { bool_param: true },
      log_verbose_level: { uint32_param: 2 },
      log_format: { string_param: 'ISO8601' },
    });
  });

  it('sends values that are false, 0 or empty, too', async () => {
    const log = new FakeLog();
    log.settings = { ...LOG, verboseLevel: 0, error: false, file: '' };

    expect(await ask(methodsOf({ log }), 'LogSettings')).toMatchObject({
      log_file: { parameter_choice: 'string_param' },
      log_error: { parameter_choice: 'bool_param' },
      log_verbose_level: { parameter_choice: 'uint32_param' },
    });
  });

  it('changes what is named and shows all of it', async () => {
    const log = new FakeLog();
    const settings = {
      log_info: { bool_param: false },
      log_warning: { bool_param: true },
      log_error: { bool_param: false },
      log_verbose_level: { uint32_param: 7 },
      log_format: { string_param: 'json' },
    };

    expect(await ask(methodsOf({ log }), 'LogSettings', { settings })).toMatchObject(settings);
    expect(log.settings).toEqual({
      verboseLevel: 7,
      info: false,
      warning: true,
      error: false,
      format: 'json',
      file: 'server.log',
    });
  });

  it.each([
    ['log_info', { string_param: 'true' }, "expect boolean for 'log_info'"],
    ['log_warning', { uint32_param: 1 }, "expect boolean for 'log_warning'"],
    ['log_error', {}, "expect boolean for 'log_error'"],
    ['log_verbose_level', { string_param: '1' }, "expect int32 for 'log_verbose_level'"],
    ['log_format', { bool_param: true }, "expect string for 'log_format'"],
    ['log_format', { string_param: 'x' }, 'invalid argument for log_format, got: x'],
    [
      'log_level',
      { bool_param: true },
      "there is no log setting 'log_level'; what can be changed is log_info, log_warning, log_error, log_verbose_level, log_format",
    ],
  ])('refuses %s of %j, and everything with it', async (name, setting, message) => {
    const log = new FakeLog();
    const settings = { log_info: { bool_param: false }, [name]: setting };

    expect(await refusal(methodsOf({ log }), 'LogSettings', settings)).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message,
    });
    expect(log.settings).toBe(LOG);
  });

  it('does not let the file be changed', async () => {
    const settings = { log_file: { string_param: 'x' } };

    expect(await refusal(methodsOf(), 'LogSettings', settings)).toEqual({
      code: GRPC.UNIMPLEMENTED,
      message: 'log file location can not be updated through network protocol',
    });
  });
});

describe('TraceSetting where there is nowhere to send traces', () => {
  it('shows that nothing is traced, for all models and for one', async () => {
    const off = {
      trace_level: values('OFF'),
      trace_rate: values('1000'),
      trace_count: values('-1'),
      log_frequency: values('0'),
      trace_file: values(''),
      trace_mode: values('triton'),
    };

    expect(await ask(methodsOf(), 'TraceSetting')).toEqual(off);
    expect(await ask(methodsOf(), 'TraceSetting', { model_name: 'm' })).toEqual(off);
  });

  it('changes nothing', async () => {
    expect(
      await refusal(methodsOf(), 'TraceSetting', { trace_level: values('TIMESTAMPS') }),
    ).toEqual({
      code: GRPC.UNIMPLEMENTED,
      message:
        'there is nowhere to send traces: start the server with --trace-config=opentelemetry,url=URL or OTEL_EXPORTER_OTLP_ENDPOINT',
    });
  });
});

describe('TraceSetting', () => {
  it('shows the settings of all models and of one', async () => {
    const methods = methodsOf({ traces: new FakeTraces() });
    const on = {
      trace_level: values('TIMESTAMPS'),
      trace_rate: values('1'),
      trace_count: values('-1'),
      log_frequency: values('0'),
      trace_file: values(''),
      trace_mode: values('opentelemetry'),
    };

    expect(await ask(methods, 'TraceSetting')).toEqual(on);
    expect(await ask(methods, 'TraceSetting', { model_name: 'm' })).toEqual({
      ...on,
      trace_rate: values('5'),
    });
  });

  it('knows no other models', async () => {
    const asked = failureOf(methodsOf(), inferenceNames('TraceSetting'), { model_name: 'nosuch' });

    expect(await asked).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message: 'Request for unknown model : nosuch',
    });
  });

  it('changes what is named, and clears what comes without a value', async () => {
    const traces = new FakeTraces();
    const methods = methodsOf({ traces });
    const settings = {
      trace_level: values('OFF'),
      trace_rate: values('10'),
      trace_count: values('-1'),
      log_frequency: values('3'),
    };

    await ask(methods, 'TraceSetting', { settings });
    await ask(methods, 'TraceSetting', {
      model_name: 'm',
      settings: { trace_level: values(), trace_rate: values() },
    });

    expect(traces.changed).toEqual([
      ['', { isOn: false, rate: 10, count: -1, logFrequency: 3 }],
      ['m', { isOn: null, rate: null }],
    ]);
  });

  it.each([
    ['trace_rate', values('1', '2'), "expect only 1 value for 'trace_rate'"],
    ['trace_rate', values('x'), "Unable to parse 'trace_rate', got: x"],
    [
      'trace_rate',
      values('-1'),
      "Unable to parse 'trace_rate', value is out of range [ 0, 4294967295 ], got: -1",
    ],
    [
      'log_frequency',
      values('4294967296'),
      "Unable to parse 'log_frequency', value is out of range [ 0, 4294967295 ], got: 4294967296",
    ],
    ['trace_count', values('-2'), "Unable to parse 'trace_count'. Expecting value >= -1, got: -2"],
    [
      'trace_count',
      values('2147483648'),
      "Unable to parse 'trace_count', value is out of range [ -1, 2147483647 ], got: 2147483648",
    ],
    ['trace_level', values('OFF', 'TIMESTAMPS'), "Expect only one trace level 'OFF' is specified"],
    ['trace_level', values('MAX'), "there is no trace level 'MAX'; one of OFF, TIMESTAMPS"],
    [
      'rate',
      values('1'),
      "there is no trace setting 'rate'; what can be changed is trace_level, trace_rate, trace_count, log_frequency",
    ],
  ])('refuses %s of %j, and everything with it', async (name, setting, message) => {
    const traces = new FakeTraces();
    const settings = { trace_level: values('OFF'), [name]: setting };

    expect(await refusal(methodsOf({ traces }), 'TraceSetting', settings)).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message,
    });
    expect(traces.changed).toEqual([]);
  });

  it.each([
    ['trace_file', 'trace file location can not be updated through network protocol'],
    ['trace_mode', 'trace mode can not be updated through network protocol'],
    ['trace_level', "trace level 'TENSORS' is not supported: traces hold times, never tensors"],
  ])('has no other %s', async (name, message) => {
    const settings = { [name]: values('TENSORS') };

    expect(
      await refusal(methodsOf({ traces: new FakeTraces() }), 'TraceSetting', settings),
    ).toEqual({ code: GRPC.UNIMPLEMENTED, message });
  });
});
