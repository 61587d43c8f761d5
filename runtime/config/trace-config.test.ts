import { describe, expect, it } from 'vitest';
import { readTraceConfig } from './trace-config.js';

const ALL = { followsCaller: true, ratio: 1 };

describe('readTraceConfig', () => {
  it('wants no traces where nobody says where to', () => {
    expect(readTraceConfig([], {})).toEqual({ tracing: undefined, warnings: [] });
  });

  it('takes the URL of the flag', () => {
    const { tracing } = readTraceConfig(['opentelemetry,url=http://c:4318/v1/traces'], {});

    expect(tracing).toEqual({
      url: 'http://c:4318/v1/traces',
      serviceName: '',
      sampler: ALL,
      settings: {},
    });
  });

  it.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])(
    'leaves it to OpenTelemetry where %s is set',
    (name) => {
      expect(readTraceConfig([], { [name]: 'http://c:4318' }).tracing).toEqual({
        url: '',
        serviceName: '',
        sampler: ALL,
        settings: {},
      });
      expect(readTraceConfig([], { [name]: '' }).tracing).toBeUndefined();
    },
  );

  it('is off where OpenTelemetry is disabled', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' };

    expect(readTraceConfig([], environment).tracing).toBeUndefined();
  });

  it.each([
    ['localhost:4318/v1/traces', 'http://localhost:4318/v1/traces'],
    ['collector', 'http://collector'],
    ['https://collector:4318', 'https://collector:4318'],
  ])('takes the address %s, as Triton', (url, meant) => {
    expect(readTraceConfig([`opentelemetry,url=${url}`], {}).tracing?.url).toBe(meant);
  });

  it('takes the name of the service from the environment', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SERVICE_NAME: 'shop' };

    expect(readTraceConfig([], environment).tracing?.serviceName).toBe('shop');
  });

  it.each([
    ['', '', true, 1],
    ['parentbased_always_on', '', true, 1],
    ['parentbased_always_off', '', true, 0],
    ['parentbased_traceidratio', '0.25', true, 0.25],
    ['always_on', '', false, 1],
    ['always_off', '0.5', false, 0],
    ['traceidratio', '0', false, 0],
  ])('knows the sampler %j with %j', (name, argument, followsCaller, ratio) => {
    const { tracing, warnings } = readTraceConfig(['opentelemetry,url=http://c'], {
      OTEL_TRACES_SAMPLER: name,
      OTEL_TRACES_SAMPLER_ARG: argument,
    });

    expect(tracing?.sampler).toEqual({ followsCaller, ratio });
    expect(warnings).toEqual([]);
  });

  it.each([
    ['nosuch', '1', 'OTEL_TRACES_SAMPLER=nosuch has no effect: there is no such sampler'],
    [
      'parentbased_traceidratio',
      '2',
      'OTEL_TRACES_SAMPLER_ARG=2 is no number from 0 to 1: all requests are traced',
    ],
    [
      'parentbased_traceidratio',
      ' ',
      'OTEL_TRACES_SAMPLER_ARG=  is no number from 0 to 1: all requests are traced',
    ],
  ])('traces all and warns where the sampler is %j with %j', (name, argument, warning) => {
    const { tracing, warnings } = readTraceConfig(['opentelemetry,url=http://c'], {
      OTEL_TRACES_SAMPLER: name,
      OTEL_TRACES_SAMPLER_ARG: argument,
    });

    expect(tracing?.sampler).toEqual(ALL);
    expect(warnings).toEqual([warning]);
  });

  it('warns of what it does not know', () => {
    expect(readTraceConfig(['triton,file=x'], {}).warnings).toEqual([
      '--trace-config=triton,file=x has no effect: known are opentelemetry,url=URL, mode=opentelemetry, level=OFF|TIMESTAMPS, rate=N and count=N; the variables OTEL_* of OpenTelemetry say the rest',
    ]);
  });

  it('takes what is traced at the start, a setting at a time as Triton does', () => {
    const given = ['mode=opentelemetry', 'level=OFF', 'rate=100', 'count=-1', 'level=TIMESTAMPS'];
    const { tracing, warnings } = readTraceConfig(['opentelemetry,url=http://c', ...given], {});

    expect([tracing?.settings, warnings]).toEqual([{ isOn: true, rate: 100, count: -1 }, []]);
  });

  it.each([
    'mode=triton',
    'level=TENSORS',
    'rate=x',
    'rate=-1',
    'rate=4294967296',
    'count=-2',
    'count=2147483648',
    'count=',
  ])('warns of %s, and goes on without it', (setting) => {
    const { tracing, warnings } = readTraceConfig(['opentelemetry,url=http://c', setting], {});

    expect(tracing?.settings).toEqual({});
    expect(warnings).toEqual([
      expect.stringMatching(`^--trace-config=${setting} has no effect`) as string,
    ]);
  });

  it('warns of settings where there is nowhere to send traces', () => {
    expect(readTraceConfig(['rate=100', 'mode=opentelemetry'], {})).toEqual({
      tracing: undefined,
      warnings: ['--trace-config has no effect: nothing says where to send traces'],
    });
  });
});
