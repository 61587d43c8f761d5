import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
import { isRetriable } from '../core/failure-kind.js';
import { GRPC_STATUS } from '../frontend/grpc-status.js';
import { STATUS, endpointError } from './status-error.js';

const WHERE = { address: 'a:1', model: 'm' };

describe('endpointError', () => {
  it.each<[keyof typeof STATUS, ErrorCode, boolean]>([
    ['INVALID_ARGUMENT', 'INVALID_ARGUMENT', false],
    ['NOT_FOUND', 'NOT_FOUND', false],
    ['UNAVAILABLE', 'BACKEND_LOST', true],
    ['RESOURCE_EXHAUSTED', 'TOO_MANY_REQUESTS', false],
    ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', false],
    ['CANCELLED', 'BACKEND_LOST', true],
    ['INTERNAL', 'BACKEND_FAILED', true],
    ['UNKNOWN', 'BACKEND_FAILED', true],
    ['UNIMPLEMENTED', 'UNSUPPORTED', false],
    ['UNAUTHENTICATED', 'INTERNAL', false],
  ])('makes %s a %s, retriable: %s', (status, code, retriable) => {
    const error = endpointError({ code: STATUS[status], details: 'why' }, WHERE);

    expect(error.code).toBe(code);
    expect(error.message).toContain('why');
    expect(isRetriable(error, new Call(0))).toBe(retriable);
  });

  it.each([
    [13, 'Received RST_STREAM with code 2 (Internal server error)'],
    [13, 'Session closed without a response'],
    [1, 'Call cancelled'],
  ])('knows a connection that was lost: %d %s', (code, details) => {
    const error = endpointError({ code, details }, WHERE);

    expect(error.code).toBe('BACKEND_LOST');
    expect(error.message).toBe(`endpoint 'a:1' of model 'm': the connection was lost: ${details}`);
  });

  it('leaves the words about a wrong request as they are', () => {
    expect(endpointError({ code: 3, details: 'wrong shape' }, WHERE).message).toBe('wrong shape');
  });

  it('gives callers the status that the endpoint gave, where the codes have one', () => {
    const same = Object.entries(STATUS).filter(([, code]) => {
      const error = endpointError({ code, details: '' }, WHERE);
      return (GRPC_STATUS[error.code] as number) === code;
    });

    expect(same.map(([name]) => name)).toEqual([
      'INVALID_ARGUMENT',
      'DEADLINE_EXCEEDED',
      'NOT_FOUND',
      'RESOURCE_EXHAUSTED',
      'UNIMPLEMENTED',
      'INTERNAL',
      'UNAVAILABLE',
    ]);
    expect(ERROR_CODES).toContain('BACKEND_LOST');
  });
});
