import { describe, expect, it } from 'vitest';
import { RuntimeError, type ErrorCode } from '../core/errors.js';
import { noVersions, pollFailed, reasonOf, versionsFailed } from './load-failure.js';

describe('the reason in the index', () => {
  it.each<[ErrorCode, string]>([
    ['INVALID_ARGUMENT', 'Invalid argument'],
    ['NOT_FOUND', 'Not found'],
    ['MODEL_NOT_READY', 'Unavailable'],
    ['CANCELLED', 'Cancelled'],
    ['BACKEND_FAILED', 'Internal'],
    ['BACKEND_LOST', 'Unavailable'],
    ['UNSUPPORTED', 'Unsupported'],
    ['INTERNAL', 'Internal'],
  ])('calls %s by the name that Triton has for it', (code, kind) => {
    expect(reasonOf(new RuntimeError(code, 'why'))).toBe(`${kind}: why`);
  });
});

describe('the answer to a load that fails', () => {
  it('says that the directory could not be read, and keeps why', () => {
    const cause = new Error('no file');

    expect(pollFailed('m', cause)).toMatchObject({
      code: 'INTERNAL',
      message: "failed to load 'm', failed to poll from model repository",
      cause,
    });
  });

  it('says that there is no version to serve', () => {
    expect(noVersions('m')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "load failed for model 'm': at least one version must be available under the version policy of model 'm'\n",
    });
  });

  it('names every version that failed', () => {
    const failures = [
      { version: 1, reason: 'Internal: no file' },
      { version: 3, reason: 'Invalid argument: no dims' },
    ];

    expect(versionsFailed('m', failures)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "load failed for model 'm': version 1 is at UNAVAILABLE state: Internal: no file; version 3 is at UNAVAILABLE state: Invalid argument: no dims;\n",
    });
  });
});
