import type protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { modelConfigType } from './model-config-schema.js';
import { unknownField } from './unknown-field.js';

function typeOf(name: string): protobuf.Type {
  return name === 'ModelConfig'
    ? modelConfigType()
    : modelConfigType().root.lookupType(`inference.${name}`);
}

describe('a field that is not there', () => {
  it.each([
    ['ModelConfig', 'max_batchsize', 'max_batch_size'],
    ['ModelConfig', 'maxBatchSize', 'max_batch_size'],
    ['ModelConfig', 'inputs', 'input'],
    ['ModelInput', 'nmae', 'name'],
    ['CascadeScheduling', 'stages', 'stage'],
    ['CascadeStage', 'exit_if', 'exit_when'],
    ['ResiliencePolicy', 'timeout_ms', 'timeout_microseconds'],
    ['ResiliencePolicy', 'breaker', 'circuit_breaker'],
    ['CircuitBreakerPolicy', 'recovery_timeout_ms', 'recovery_timeout_microseconds'],
  ])('of %s, %s, is told with the one that was meant', (type, given, meant) => {
    expect(unknownField(typeOf(type), given)).toBe(
      `message ${type} has no field '${given}'; did you mean '${meant}'?`,
    );
  });

  it('is told with all there are where nothing is like it and they are few', () => {
    expect(unknownField(typeOf('RetryPolicy'), 'jitter')).toBe(
      "message RetryPolicy has no field 'jitter'; it has max_attempts, initial_backoff_microseconds, max_backoff_microseconds",
    );
  });

  it('is told alone where nothing is like it and they are many', () => {
    expect(unknownField(typeOf('ModelConfig'), 'x')).toBe("message ModelConfig has no field 'x'");
  });

  it('may be as long as a file', () => {
    const given = 'y'.repeat(1_000_000);

    expect(unknownField(typeOf('ModelConfig'), given)).toContain('has no field');
  });
});
