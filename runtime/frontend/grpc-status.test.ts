import { describe, expect, it } from 'vitest';
import { ERROR_CODES, RuntimeError } from '../core/errors.js';
import { grpcStatusOf } from './grpc-status.js';

describe('grpcStatusOf', () => {
  it.each([
    ['INVALID_ARGUMENT', 3],
    ['NOT_FOUND', 5],
    ['MODEL_NOT_READY', 14],
    ['QUEUE_FULL', 14],
    ['QUEUE_TIMEOUT', 14],
    ['TOO_MANY_REQUESTS', 8],
    ['CIRCUIT_OPEN', 14],
    ['DEADLINE_EXCEEDED', 4],
    ['CANCELLED', 1],
    ['BACKEND_FAILED', 13],
    ['BACKEND_LOST', 14],
    ['CONTROL_REFUSED', 14],
    ['SHUTTING_DOWN', 14],
    ['UNSUPPORTED', 12],
    ['INTERNAL', 13],
  ] as const)('sends %s as %i, with its text', (errorCode, code) => {
    expect(grpcStatusOf(new RuntimeError(errorCode, 'why'))).toEqual({ code, message: 'why' });
  });

  it('never calls an error OK', () => {
    for (const code of ERROR_CODES)
      expect(grpcStatusOf(new RuntimeError(code, '')).code).toBeGreaterThan(0);
  });

  it.each([
    ['an error of another kind', new TypeError('x is undefined'), 'x is undefined'],
    ['what is no error', 'a text', 'a text'],
  ])('takes %s for INTERNAL', (_what, thrown, message) => {
    expect(grpcStatusOf(thrown)).toEqual({ code: 13, message });
  });
});
