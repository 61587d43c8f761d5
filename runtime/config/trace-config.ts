// --trace-config=opentelemetry,url=URL or KEY=VALUE, a setting at a time as Triton takes them, and the variables by which OpenTelemetry
// is told where to send: whether there are traces, and of what.

import type { TraceSettings } from '../core/trace-control.js';

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
  /** As if TraceSetting had set them for all models; what is not there is the sampler's. */
  readonly settings: Partial<TraceSettings>;
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
  let atStart: Partial<TraceSettings> = {};
  const warnings: string[] = [];
  for (const setting of settings) {
    const match = /^opentelemetry,url=(.+)$/.exec(setting);
    const changed = settingFrom(setting);
    if (match) url = withScheme(match[1]!);
    else if (changed) atStart = { ...atStart, ...changed };
    else warnings.push(`--trace-config=${setting} has no effect: ${KNOWN}`);
  }
  const elsewhere = ENDPOINTS.some((name) => Boolean(environment[name]));
  const serviceName = environment['OTEL_SERVICE_NAME'] ?? '';
  const isOff = environment['OTEL_SDK_DISABLED'] === 'true';
  if (isOff || (url === '' && !elsewhere)) {
    if (Object.keys(atStart).length > 0) warnings.push(NOWHERE);
    return { tracing: undefined, warnings };
  }
  const sampler = samplerFrom(environment, warnings);
  return { tracing: { url, serviceName, sampler, settings: atStart }, warnings };
}

// ---- details below; callers need not read ----

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
const KNOWN =
  'known are opentelemetry,url=URL, mode=opentelemetry, level=OFF|TIMESTAMPS, rate=N and count=N; ' +
  'the variables OTEL_* of OpenTelemetry say the rest';
const NOWHERE = '--trace-config has no effect: nothing says where to send traces';

/** The largest that TraceSetting takes. */
const MOST_RATE = 2 ** 32 - 1;
const MOST_COUNT = 2 ** 31 - 1;

/** Triton takes "localhost:4318/v1/traces", too. */
function withScheme(url: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `http://${url}`;
}

/** Undefined: it is none that is known. */
function settingFrom(setting: string): Partial<TraceSettings> | undefined {
  if (setting === 'mode=opentelemetry') return {};
  if (setting === 'level=OFF') return { isOn: false };
  if (setting === 'level=TIMESTAMPS') return { isOn: true };
  const [, key, digits] = /^(rate|count)=(-1|\d{1,10})$/.exec(setting) ?? [];
  const value = Number(digits);
  if (key === 'rate' && value >= 0 && value <= MOST_RATE) return { rate: value };
  if (key === 'count' && value <= MOST_COUNT) return { count: value };
  return undefined;
}

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
