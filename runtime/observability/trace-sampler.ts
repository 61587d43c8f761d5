// OTEL_TRACES_SAMPLER as a sampler of OpenTelemetry, which gives way where a setting of TraceSetting has decided already.

import { createContextKey, type Context } from '@opentelemetry/api';
import { tracing } from '@opentelemetry/sdk-node';
import type { SamplerConfig } from '../config/trace-config.js';

export function createSampler({ followsCaller, ratio }: SamplerConfig): tracing.Sampler {
  // The sampler by ratio leaves out one in four billion at 1.
  const root =
    ratio === 1 ? new tracing.AlwaysOnSampler() : new tracing.TraceIdRatioBasedSampler(ratio);
  const fromEnvironment = followsCaller ? new tracing.ParentBasedSampler({ root }) : root;
  const always = new tracing.AlwaysOnSampler();
  return {
    shouldSample: (...args) =>
      (args[0].getValue(DECIDED) ? always : fromEnvironment).shouldSample(...args),
    toString: () => `TraceSetting before ${fromEnvironment.toString()}`,
  };
}

/** Spans in it are made. */
export function sampled(parent: Context): Context {
  return parent.setValue(DECIDED, true);
}

const DECIDED = createContextKey('inferd: to be traced');
