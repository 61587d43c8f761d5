import { describe, expect, it } from 'vitest';
import { Call } from './call.js';
import { ERROR_CODES, RuntimeError, type ErrorCode } from './errors.js';
import { isFaultOfModel, isReplaceable, isRetriable } from './failure-kind.js';

const codes = (holds: (error: RuntimeError) => boolean): ErrorCode[] =>
  ERROR_CODES.filter((code) => holds(new RuntimeError(code, '')));

describe('what may be done about a failure', () => {
  it('is to ask again where something broke', () => {
    const call = new Call(0);

    expect(codes((error) => isRetriable(error, call))).toEqual([
      'MODEL_NOT_READY',
      'CANCELLED',
      'BACKEND_FAILED',
      'BACKEND_LOST',
      'SHUTTING_DOWN',
    ]);
  });

  it('is to ask another model unless the request is wrong', () => {
    const call = new Call(0);

    expect(codes((error) => !isReplaceable(error, call))).toEqual([
      'INVALID_ARGUMENT',
      'ALREADY_EXISTS',
      'CONTROL_REFUSED',
      'UNSUPPORTED',
    ]);
  });

  it('is nothing when the caller has gone', () => {
    const call = new Call(0);
    call.cancel();

    expect(codes((error) => isRetriable(error, call) || isReplaceable(error, call))).toEqual([]);
  });
});

/** A call until 1000 for which a leg was sent until `limit`, which did not answer in 10 ms. */
function withLateLeg(limit: number | undefined): Call {
  const call = new Call(0, 1000);
  const target = { name: 'step 0' };
  const [outer, inner] = [call.child(0), call.child(0, limit)];
  const error = new RuntimeError('DEADLINE_EXCEEDED', '');
  const facts = { target, modelName: 'part', modelVersion: '', endedAt: 10, error };
  outer.sent({ ...facts, call: inner });
  call.sent({ ...facts, call: outer });
  return call;
}

describe('isFaultOfModel', () => {
  const late = new RuntimeError('DEADLINE_EXCEEDED', '');
  const cancelled = new RuntimeError('CANCELLED', '');

  it.each<[string, boolean, RuntimeError, Call]>([
    ['a time limit of the configuration that passed', true, late, new Call(0).child(0, 10)],
    ['the caller’s deadline', false, late, new Call(0, 10)],
    ['the caller’s deadline before a limit', false, late, new Call(0, 10).child(0, 20)],
    [
      'time kept back for others from the caller’s',
      false,
      late,
      new Call(0, 10).child(0, 5, false),
    ],
    ['a limit that lies within, for a caller without a deadline', true, late, new Call(0)],
    ['a limit that lies within, for a caller who waits for longer', true, late, withLateLeg(5)],
    ['a part that had no limit of its own', false, late, withLateLeg(undefined)],
    ['a cancellation by nobody', true, cancelled, new Call(0)],
  ])('%s: %s', (_what, expected, error, call) => {
    expect(isFaultOfModel(error, call, 10)).toBe(expected);
  });

  it('is what was cancelled because its limit had passed, and not what was cancelled before', () => {
    const call = new Call(0).child(0, 10);
    call.cancel();

    expect(isFaultOfModel(cancelled, call, 10)).toBe(true);
    expect(isFaultOfModel(cancelled, call, 7)).toBe(false);
  });
});
