// The `resilience` block of a model's configuration, compiled: defaults as in the comments of proto/model_config.proto, durations in
// milliseconds. What is absent is not done.

import type {
  CircuitBreakerMessage,
  FallbackTargetMessage,
  HedgePolicyMessage,
  Int64,
  ModelConfigMessage,
  RetryPolicyMessage,
} from './model-config-message.js';

export interface ResilienceConfig {
  readonly maxConcurrency: number | undefined;
  readonly timeoutMs: number | undefined;
  /** In the order in which they are asked; empty: there are none. */
  readonly fallback: readonly FallbackConfig[];
  readonly circuitBreaker: CircuitBreakerConfig | undefined;
  readonly retry: RetryConfig | undefined;
  readonly hedge: HedgeConfig | undefined;
}

export interface HedgeConfig {
  readonly delay: { readonly ms: number } | { readonly quantile: number };
  readonly maxAttempts: number;
  readonly budgetPercent: number;
}

export interface RetryConfig {
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface CircuitBreakerConfig {
  readonly failureThreshold: number;
  readonly recoveryMs: number;
  readonly halfOpenRequests: number;
}

export interface LastGoodConfig {
  readonly keyParameter: string;
  /** Infinity: however old it is. */
  readonly maxAgeMs: number;
}

/** Names of the other model → of this one; an empty map: they are the same. */
export interface FallbackNames {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

export type FallbackConfig = { readonly level: string } & (
  | {
      readonly model: { readonly name: string; readonly version: number };
      readonly names: FallbackNames;
      readonly lastGood?: undefined;
    }
  | {
      readonly lastGood: LastGoodConfig;
      readonly model?: undefined;
    }
);

/** What is said nowhere. */
const DEFAULTS = Object.freeze({
  hedgeAttempts: 2,
  hedgeBudgetPercent: 5,
  retryAttempts: 3,
  retryInitialMs: 10,
  retryMaxMs: 1000,
  failureThreshold: 5,
  recoveryMs: 30_000,
  halfOpenRequests: 3,
});

/** `message` must be valid (validate-resilience). Undefined: nothing is to be done. */
export function resilienceConfig({
  resilience: policy,
}: ModelConfigMessage): ResilienceConfig | undefined {
  if (!policy || Object.keys(policy).length === 0) return undefined;
  return Object.freeze({
    maxConcurrency: policy.max_concurrency || undefined,
    timeoutMs: milliseconds(policy.timeout_microseconds) || undefined,
    fallback: Object.freeze((policy.fallback ?? []).map(fallbackConfig)),
    circuitBreaker: policy.circuit_breaker && breakerConfig(policy.circuit_breaker),
    retry: policy.retry && retryConfig(policy.retry),
    hedge: policy.hedge && hedgeConfig(policy.hedge),
  });
}

// ---- details below; callers need not read ----

function breakerConfig(breaker: CircuitBreakerMessage): CircuitBreakerConfig {
  return {
    failureThreshold: breaker.failure_threshold || DEFAULTS.failureThreshold,
    recoveryMs: milliseconds(breaker.recovery_timeout_microseconds) || DEFAULTS.recoveryMs,
    halfOpenRequests: breaker.half_open_max_requests || DEFAULTS.halfOpenRequests,
  };
}

/** Undefined: one attempt is no retry. */
function retryConfig(retry: RetryPolicyMessage): RetryConfig | undefined {
  const maxAttempts = retry.max_attempts || DEFAULTS.retryAttempts;
  if (maxAttempts === 1) return undefined;
  const initialMs = milliseconds(retry.initial_backoff_microseconds) || DEFAULTS.retryInitialMs;
  const maxMs =
    milliseconds(retry.max_backoff_microseconds) || Math.max(DEFAULTS.retryMaxMs, initialMs);
  return { maxAttempts, initialMs: Math.min(initialMs, maxMs), maxMs };
}

/** Undefined: one attempt is no hedge. */
function hedgeConfig(hedge: HedgePolicyMessage): HedgeConfig | undefined {
  const maxAttempts = hedge.max_attempts || DEFAULTS.hedgeAttempts;
  if (maxAttempts === 1) return undefined;
  const quantile = hedge.delay_quantile ?? 0;
  return {
    delay: quantile > 0 ? { quantile } : { ms: milliseconds(hedge.delay_microseconds) },
    maxAttempts,
    budgetPercent: hedge.budget_percent || DEFAULTS.hedgeBudgetPercent,
  };
}

function fallbackConfig(target: FallbackTargetMessage): FallbackConfig {
  const { level, last_good: lastGood, model_name: name = '' } = target;
  if (lastGood) return { level: level || 'last_good', lastGood: lastGoodConfig(lastGood) };
  return {
    level: level || name,
    model: { name, version: Number(target.model_version ?? 0) },
    names: {
      inputs: new Map(Object.entries(target.input_map ?? {})),
      outputs: new Map(Object.entries(target.output_map ?? {})),
    },
  };
}

function lastGoodConfig({
  key_parameter: keyParameter = '',
  max_age_seconds: seconds = 0,
}: NonNullable<FallbackTargetMessage['last_good']>): LastGoodConfig {
  return { keyParameter, maxAgeMs: seconds === 0 ? Infinity : seconds * 1000 };
}

function milliseconds(microseconds: Int64 = 0): number {
  return Number(microseconds) / 1000;
}
