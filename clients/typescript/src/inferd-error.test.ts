import { describe, expect, it } from 'vitest';
import { InferdError, inferdErrorFrom } from './inferd-error.js';

function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details });
}

describe('an error', () => {
  it('has the name of the status, the text and the address', () => {
    const error = inferdErrorFrom(grpcError(5, 'no such model'), 'a:1');

    expect(error).toBeInstanceOf(InferdError);
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      details: 'no such model',
      address: 'a:1',
      message: 'no such model (NOT_FOUND from a:1)',
    });
  });

  it.each([
    [13, 'Received RST_STREAM with code 2'],
    [13, 'Session closed without error'],
    [1, 'Call cancelled'],
  ])('is UNAVAILABLE when the connection was lost under the call: %i %s', (code, details) => {
    expect(inferdErrorFrom(grpcError(code, details))).toMatchObject({
      code: 'UNAVAILABLE',
      details: `the connection was lost: ${details}`,
    });
  });

  it('stays INTERNAL when the server says so', () => {
    expect(inferdErrorFrom(grpcError(13, 'out of luck'))).toMatchObject({ code: 'INTERNAL' });
  });

  it('of another kind is left alone', () => {
    const bug = new TypeError('x is not a function');

    expect(inferdErrorFrom(bug)).toBe(bug);
  });
});
