import { describe, expect, it } from 'vitest';
import { readTraceConfig } from './trace-config.js';

describe('readTraceConfig', () => {
  it('wants no traces where nobody says where to', () => {
    expect(readTraceConfig([], {})).toEqual({ tracing: undefined, warnings: [] });
  });

  it('takes the URL of the flag', () => {
    const { tracing } = readTraceConfig(['opentelemetry,url=http://c:4318/v1/traces'], {});

    expect(tracing).toEqual({ url: 'http://c:4318/v1/traces', serviceName: '' });
  });

  it.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])(
    'leaves it to OpenTelemetry where %s is set',
    (name) => {
      expect(readTraceConfig([], { [name]: 'http://c:4318' }).tracing).toEqual({
        url: '',
        serviceName: '',
      });
      expect(readTraceConfig([], { [name]: '' }).tracing).toBeUndefined();
    },
  );

  it('is off where OpenTelemetry is disabled', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SDK_DISABLED: 'true' };

    expect(readTraceConfig([], environment).tracing).toBeUndefined();
  });

  it('takes the name of the service from the environment', () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_SERVICE_NAME: 'shop' };

    expect(readTraceConfig([], environment).tracing).toEqual({ url: '', serviceName: 'shop' });
  });

  it('warns of what it does not know', () => {
    expect(readTraceConfig(['triton,file=x'], {}).warnings).toEqual([
      '--trace-config=triton,file=x has no effect: known is opentelemetry,url=URL; the variables OTEL_* of OpenTelemetry say the rest',
    ]);
  });
});
