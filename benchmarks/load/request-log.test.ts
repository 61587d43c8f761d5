import { describe, expect, it } from 'vitest';
import { FAILED, RequestRecorder, durationsMs, monotonicOffsetMs } from './request-log.js';

describe('RequestRecorder', () => {
  it('keeps more than it first has room for', () => {
    const recorder = new RequestRecorder();

    for (let i = 0; i < 100_000; i++) recorder.add(i, i + 2, i % 3);
    const { sentAt, endedAt, outcomes } = recorder.log();

    expect([sentAt.length, endedAt.length, outcomes.length]).toEqual([100_000, 100_000, 100_000]);
    expect([sentAt[99_999], endedAt[99_999], outcomes[99_999]]).toEqual([99_999, 100_001, 0]);
    expect(sentAt[1]).toBe(1);
  });

  it('counts what failures said', () => {
    const recorder = new RequestRecorder();

    for (const text of ['refused', 'lost', 'refused']) {
      recorder.add(0, 1, FAILED);
      recorder.failed(text);
    }

    expect([...recorder.log().failures]).toEqual([
      ['refused', 2],
      ['lost', 1],
    ]);
  });
});

describe('durationsMs', () => {
  it('takes the requests that were sent within a window', () => {
    const recorder = new RequestRecorder();
    for (const [sentAt, endedAt] of [
      [9, 99],
      [10, 15],
      [19, 21],
      [20, 29],
    ] as const)
      // prettier-ignore
      recorder.add(sentAt, endedAt, 0);

    expect([...durationsMs(recorder.log(), 10, 20)]).toEqual([2, 5]);
  });
});

describe('monotonicOffsetMs', () => {
  it('leads from the time of this process to that of the machine', () => {
    const now = Number(process.hrtime.bigint()) / 1e6;

    expect(performance.now() + monotonicOffsetMs() - now).toBeLessThan(50);
  });
});
