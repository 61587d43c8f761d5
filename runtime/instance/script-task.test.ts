import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { TimerWheel } from '../core/timer-wheel.js';
import type { ScriptBatch } from '../scheduler/script-runner.js';
import { aRequest } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { ScriptTask } from './script-task.js';

function bench(deadlines: readonly number[] = [Infinity]): {
  clock: FakeClock;
  task: ScriptTask;
  calls: Call[];
  overdue: number[];
} {
  const clock = new FakeClock();
  const overdue: number[] = [];
  const calls = deadlines.map((deadline) => new Call(clock.now(), deadline));
  const batch: ScriptBatch = {
    entries: calls.map((call) => ({ request: aRequest(), rows: 1, call })),
    streamed: () => undefined,
  };
  const task = new ScriptTask(1, batch, {
    clock,
    wheel: new TimerWheel(clock),
    limitMs: 100,
    settle: () => undefined,
    overdue: ({ id }) => overdue.push(id),
  });
  return { clock, task, calls, overdue };
}

describe('the time of a task', () => {
  it('is limited', () => {
    const { clock, overdue } = bench();

    clock.advance(99);
    expect(overdue).toEqual([]);
    clock.advance(2);
    expect(overdue).toEqual([1]);
  });

  it('stands still while it waits for other models', () => {
    const { clock, task, overdue } = bench();

    clock.advance(60);
    task.waits();
    task.waits();
    clock.advance(1000);
    task.goesOn(() => undefined);
    clock.advance(1000);
    task.goesOn(() => undefined);
    clock.advance(39);
    expect(overdue).toEqual([]);
    clock.advance(2);
    expect(overdue).toEqual([1]);
  });

  it('begins anew with each answer of a stream', () => {
    const { clock, task, overdue } = bench();

    clock.advance(90);
    task.streamed([], 0);
    clock.advance(90);

    expect(overdue).toEqual([]);
  });

  it('is over when it is settled, also if another model answers later', () => {
    const { clock, task, overdue } = bench();

    task.waits();
    task.settle({ kind: 'done', task: 1 });
    task.goesOn(() => undefined);
    clock.advance(1000);

    expect(overdue).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });
});

describe('the call under which a task asks other models', () => {
  it('is due when the last of its requests is', () => {
    const { task } = bench([1500, 3000]);

    expect(task.scope(-1).parent.deadline).toBe(3000);
    expect(task.scope(0).parent.deadline).toBe(1500);
  });

  it('belongs to the trace of the first of its requests that has one', () => {
    const { task, calls } = bench([1500, 3000, 3000]);
    const [one, other] = [{ traceHeaders: () => [] }, { traceHeaders: () => undefined }];
    calls[1]!.trace = one;
    calls[2]!.trace = other;

    expect(task.scope(-1).parent.trace).toBe(one);
    expect(task.scope(0).parent.trace).toBeUndefined();
    expect(task.scope(2).parent.trace).toBe(other);
  });

  it('belongs to no trace of a request that nobody waits for', () => {
    const { task, calls } = bench([1500, 3000]);
    const [gone, there] = [{ traceHeaders: () => [] }, { traceHeaders: () => undefined }];
    calls[0]!.trace = gone;
    calls[1]!.trace = there;
    calls[0]!.cancel();

    expect(task.scope(-1).parent.trace).toBe(there);
  });

  it('is cancelled when nobody waits any more', () => {
    const { task, calls } = bench([1500, 3000]);
    const [all, first] = [task.scope(-1).parent, task.scope(0).parent];

    calls[0]!.cancel();
    expect([all.cancelled, first.cancelled]).toEqual([false, true]);
    calls[1]!.cancel();
    expect(all.cancelled).toBe(true);
  });

  it('is cancelled with its task', () => {
    const { task } = bench();
    const { parent } = task.scope(-1);

    task.settle({ kind: 'done', task: 1 });

    expect(parent.cancelled).toBe(true);
  });
});
