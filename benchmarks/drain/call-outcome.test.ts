import { describe, expect, it } from 'vitest';
import { commonText, failureKind } from './call-outcome.js';

const REFUSED =
  'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:36999. Resolution note: ';

describe('failureKind', () => {
  it.each([
    [14, REFUSED, true, 'overtaken'],
    [14, REFUSED, false, 'unsent'],
    [14, 'Connection dropped', true, 'lost'],
    [14, 'Received RST_STREAM with code 7', true, 'lost'],
    [14, "model 'tiny' is not ready", true, 'lost'],
    [13, REFUSED, true, 'lost'],
    [1, 'Cancelled on server', true, 'lost'],
  ] as const)('of status %i with %j, sent while connected: %s, is %s', (code, text, up, kind) => {
    expect(failureKind({ code, text, wasConnected: up })).toBe(kind);
  });
});

describe('commonText', () => {
  it('is the same for every address', () => {
    expect(commonText(REFUSED)).toBe(
      'No connection established. Last error: Error: connect ECONNREFUSED ADDRESS. Resolution note: ',
    );
  });
});
