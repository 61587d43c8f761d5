import { describe, expect, it } from 'vitest';
import { FAILED, RequestRecorder, WRONG } from '../load/request-log.js';
import { judge, type Verdict } from './model-state.js';

/** The model answers 0, from some time between 10 and 20 on 1, and from some time between 30 and 40 on 0 again. */
const OPERATIONS = [
  { startedAt: 10, endedAt: 20, answer: 1 },
  { startedAt: 30, endedAt: 40, answer: 0 },
];

function verdictOn(sentAt: number, endedAt: number, outcome: number): Verdict {
  const recorder = new RequestRecorder();
  recorder.add(sentAt, endedAt, outcome);
  return judge(recorder.log(), 0, OPERATIONS);
}

describe('judge', () => {
  it.each([
    ['before any operation', 1, 5, [0]],
    ['that ended during the first', 5, 15, [0, 1]],
    ['during the first', 12, 15, [0, 1]],
    ['that was sent before its end', 15, 25, [0, 1]],
    ['between the two', 21, 29, [1]],
    ['that outlasted both', 5, 50, [0, 1]],
    ['of the second', 25, 35, [1, 0]],
    ['after both', 41, 50, [0]],
  ])('takes for right, of a request %s, what the model answered then', (_what, from, to, right) => {
    const stale = [0, 1].map((outcome) => verdictOn(from, to, outcome).stale);

    expect(stale).toEqual([0, 1].map((outcome) => (right.includes(outcome) ? 0 : 1)));
  });

  it('tells failures from wrong answers', () => {
    expect(verdictOn(1, 2, FAILED)).toEqual({ requests: 1, failed: 1, wrong: 0, stale: 0 });
    expect(verdictOn(1, 2, WRONG)).toEqual({ requests: 1, failed: 0, wrong: 1, stale: 0 });
  });
});
