// --trace-config=MODE[,KEY=VALUE], and the variables by which OpenTelemetry is told where to send: whether there are traces.

export interface TraceConfig {
  /** Undefined: no traces. */
  readonly tracing: TracingConfig | undefined;
  /** Sentences on settings that do nothing. */
  readonly warnings: readonly string[];
}

export interface TracingConfig {
  /** '': where the environment says. */
  readonly url: string;
  /** '': the name of the server. */
  readonly serviceName: string;
}

export function readTraceConfig(
  settings: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): TraceConfig {
  let url = '';
  const warnings: string[] = [];
  for (const setting of settings) {
    const match = /^opentelemetry,url=(.+)$/.exec(setting);
    if (match) url = match[1]!;
    else warnings.push(`--trace-config=${setting} has no effect: ${KNOWN}`);
  }
  const elsewhere = ENDPOINTS.some((name) => Boolean(environment[name]));
  const serviceName = environment['OTEL_SERVICE_NAME'] ?? '';
  const isOff = environment['OTEL_SDK_DISABLED'] === 'true';
  return {
    tracing: (url !== '' || elsewhere) && !isOff ? { url, serviceName } : undefined,
    warnings,
  };
}

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
const KNOWN = 'known is opentelemetry,url=URL; the variables OTEL_* of OpenTelemetry say the rest';
