import { InferdError } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { toldError } from './told-error.js';

function told(code: InferdError['code'], details: string): string {
  return toldError(new InferdError(code, details, { address: 'there:1' }));
}

describe('toldError', () => {
  it.each([
    'No connection established. Last error: Error: connect ECONNREFUSED 1.2.3.4:1.',
    'the connection was lost: Session closed',
    'Name resolution failed for target dns:there:1',
  ])('says that nobody is there: %s', (details) => {
    expect(told('UNAVAILABLE', details)).toMatch(
      /^no server answers at there:1 \(.+[^.]\)\. Start one with inferd --model-repository=DIR, or name another with --url HOST:PORT$/,
    );
  });

  it('says that somebody else is there', () => {
    expect(told('UNIMPLEMENTED', 'Received HTTP status code 404')).toContain('is no gRPC server');
  });

  it('says that nothing came in time', () => {
    expect(told('DEADLINE_EXCEEDED', 'whatever')).toBe('there:1 has not answered in time');
  });

  it("otherwise says the server's words, on one line, with code and address", () => {
    expect(told('UNAVAILABLE', 'queue is\nfull')).toBe('queue is full (UNAVAILABLE from there:1)');
  });
});
