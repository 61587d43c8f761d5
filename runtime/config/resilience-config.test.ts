import { describe, expect, it } from 'vitest';
import { aModelConfig } from '../testing/build.js';
import type { ResilienceConfig } from './resilience-config.js';

const compiled = (resilience: string): ResilienceConfig | undefined =>
  aModelConfig(`resilience { ${resilience} }`).resilience;

const NOTHING: ResilienceConfig = {
  maxConcurrency: undefined,
  timeoutMs: undefined,
  fallback: [],
  circuitBreaker: undefined,
  retry: undefined,
  hedge: undefined,
};

describe('resilienceConfig', () => {
  it('is nothing without a block, and with an empty one', () => {
    expect(aModelConfig('').resilience).toBeUndefined();
    expect(compiled('')).toBeUndefined();
  });

  it('has the defaults of the .proto, in milliseconds', () => {
    expect(compiled('hedge { delay_quantile: 0.95 } retry { } circuit_breaker { }')).toEqual({
      ...NOTHING,
      hedge: { delay: { quantile: 0.95 }, maxAttempts: 2, budgetPercent: 5 },
      retry: { maxAttempts: 3, initialMs: 10, maxMs: 1000 },
      circuitBreaker: { failureThreshold: 5, recoveryMs: 30_000, halfOpenRequests: 3 },
    });
  });

  it('says what is written', () => {
    expect(
      compiled(`
        timeout_microseconds: 80500 max_concurrency: 64
        hedge { delay_microseconds: 2500 max_attempts: 3 budget_percent: 7.5 }
        retry { max_attempts: 2 initial_backoff_microseconds: 500 max_backoff_microseconds: 4000 }
        circuit_breaker { failure_threshold: 1 recovery_timeout_microseconds: 2000 half_open_max_requests: 1 }`),
    ).toEqual({
      ...NOTHING,
      timeoutMs: 80.5,
      maxConcurrency: 64,
      hedge: { delay: { ms: 2.5 }, maxAttempts: 3, budgetPercent: 7.5 },
      retry: { maxAttempts: 2, initialMs: 0.5, maxMs: 4 },
      circuitBreaker: { failureThreshold: 1, recoveryMs: 2, halfOpenRequests: 1 },
    });
  });

  it('keeps the order of the fallbacks, whose level is by default their name', () => {
    const policy = compiled(`fallback [
      { model_name: "small" level: "reduced" model_version: 2 input_map { key: "x" value: "a" } },
      { model_name: "tiny" },
      { last_good { key_parameter: "user" max_age_seconds: 60 } },
      { last_good { key_parameter: "user" } level: "stale" }
    ]`);

    const none = new Map<string, string>();
    expect(policy?.fallback).toEqual([
      {
        level: 'reduced',
        model: { name: 'small', version: 2 },
        names: { inputs: new Map([['x', 'a']]), outputs: none },
      },
      {
        level: 'tiny',
        model: { name: 'tiny', version: 0 },
        names: { inputs: none, outputs: none },
      },
      { level: 'last_good', lastGood: { keyParameter: 'user', maxAgeMs: 60_000 } },
      { level: 'stale', lastGood: { keyParameter: 'user', maxAgeMs: Infinity } },
    ]);
  });

  it('takes one attempt for no policy, and never waits longer than the limit at first', () => {
    expect(
      compiled('hedge { delay_quantile: 0.9 max_attempts: 1 } retry { max_attempts: 1 }'),
    ).toEqual(NOTHING);
    expect(compiled('retry { max_backoff_microseconds: 5000 }')?.retry).toMatchObject({
      initialMs: 5,
      maxMs: 5,
    });
    expect(compiled('retry { initial_backoff_microseconds: 2000000 }')?.retry).toMatchObject({
      initialMs: 2000,
      maxMs: 2000,
    });
  });
});
