import { describe, expect, it } from 'vitest';
import {
  Call,
  MOST_UNREAD,
  MOST_UNREAD_BYTES,
  type Pace,
  type PaceListener,
} from '../core/call.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { aRequest } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ScriptTask } from './script-task.js';
import { StreamPace } from './stream-pace.js';

class FakePace implements Pace {
  isBehind = false;
  readonly waiting: PaceListener[] = [];

  onReady(listener: PaceListener): void {
    this.waiting.push(listener);
  }
}

function bench(): {
  clock: FakeClock;
  task: ScriptTask;
  pace: StreamPace;
  reader: FakePace;
  taken: number[];
  freed: () => number;
  overdue: () => boolean;
} {
  const clock = new FakeClock();
  const call = new Call(clock.now());
  const reader = new FakePace();
  let isOverdue = false;
  const entries = [{ request: aRequest(), rows: 1, call }];
  const batch = { entries, streamed: () => undefined };
  const task = new ScriptTask(1, batch, {
    ...{ clock, wheel: new TimerWheel(clock), limitMs: 100, settle: () => undefined },
    overdue: () => (isOverdue = true),
  });
  const taken: number[] = [];
  let slots = 0;
  const pace = new StreamPace({
    ...{ task, reader, taken: (answers) => taken.push(answers), slotFree: () => slots++ },
  });
  return { clock, task, pace, reader, taken, freed: () => slots, overdue: () => isOverdue };
}

describe('the pace of a stream', () => {
  it('is that of its thread while its reader keeps up', () => {
    const { pace, taken } = bench();

    for (let answer = 0; answer < 2 * MOST_UNREAD; answer++) pace.answered(8);

    expect(taken.reduce((sum, answers) => sum + answers, 0)).toBe(2 * MOST_UNREAD);
  });

  it('counts large answers for what they are', () => {
    const { pace, taken } = bench();

    pace.answered(MOST_UNREAD_BYTES / 4);
    expect(taken).toEqual([]);
    pace.answered(MOST_UNREAD_BYTES / 4);
    pace.answered(100 * MOST_UNREAD_BYTES);

    expect(taken).toEqual([MOST_UNREAD / 2 + 2, MOST_UNREAD]);
  });

  it('is that of its reader, who costs no slot and no time', () => {
    const { clock, task, pace, reader, taken, freed, overdue } = bench();
    pace.answered(8);
    reader.isBehind = true;
    for (let answer = 0; answer < MOST_UNREAD; answer++) pace.answered(8);
    expect([taken, task.isWaiting, freed(), reader.waiting.length]).toEqual([[], true, 1, 1]);

    clock.advance(1000);
    expect(overdue()).toBe(false);
    reader.isBehind = false;
    reader.waiting[0]!.readerReady();

    expect([taken, task.isWaiting]).toEqual([[MOST_UNREAD + 1], false]);
    clock.advance(101);
    expect(overdue()).toBe(true);
  });
});
