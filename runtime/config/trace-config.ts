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
  readonly sampler: SamplerConfig;
}

/** OTEL_TRACES_SAMPLER with its argument. */
export interface SamplerConfig {
  /** parentbased_…: requests of callers that take part in traces are traced if and only if the caller is. */
  readonly followsCaller: boolean;
  /** How many of the others are, from 0 to 1. */
  readonly ratio: number;
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
  if (isOff || (url === '' && !elsewhere)) return { tracing: undefined, warnings };
  return { tracing: { url, serviceName, sampler: samplerFrom(environment, warnings) }, warnings };
}

// ---- details below; callers need not read ----

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
const KNOWN = 'known is opentelemetry,url=URL; the variables OTEL_* of OpenTelemetry say the rest';

const SAMPLER = /^(parentbased_)?(?:(always_on)|(always_off)|traceidratio)$/;

/** As OpenTelemetry reads them: what is not understood means that all are traced. */
function samplerFrom(
  environment: Readonly<Record<string, string | undefined>>,
  warnings: string[],
): SamplerConfig {
  const name = environment['OTEL_TRACES_SAMPLER'] || 'parentbased_always_on';
  const match = SAMPLER.exec(name);
  if (!match) {
    warnings.push(`OTEL_TRACES_SAMPLER=${name} has no effect: there is no such sampler`);
    return { followsCaller: true, ratio: 1 };
  }
  const [, followsCaller, all, none] = match;
  const ratio = all ? 1 : none ? 0 : ratioFrom(environment, warnings);
  return { followsCaller: followsCaller !== undefined, ratio };
}

function ratioFrom(
  environment: Readonly<Record<string, string | undefined>>,
  warnings: string[],
): number {
  const text = environment['OTEL_TRACES_SAMPLER_ARG'] ?? '';
  const ratio = Number(text);
  if (text.trim() !== '' && ratio >= 0 && ratio <= 1) return ratio;
  warnings.push(
    `OTEL_TRACES_SAMPLER_ARG=${text} is no number from 0 to 1: all requests are traced`,
  );
  return 1;
}
