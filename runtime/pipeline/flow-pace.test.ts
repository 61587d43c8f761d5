import { describe, expect, it } from 'vitest';
import { MOST_UNREAD_BYTES } from '../core/call.js';
import { BenchReader } from '../testing/ensemble-bench.js';
import { FlowPace, flowBounds } from './flow-pace.js';

const BOUNDS = { always: 1, most: 3 };

/** Who asks when he may go on, and how often he was told. */
class Listener {
  told = 0;

  readerReady(): void {
    this.told++;
  }
}

function paceOf(reader?: BenchReader): FlowPace {
  return new FlowPace({ isTurn: true }, BOUNDS, { reader, outer: undefined });
}

function enter(pace: FlowPace, answers: number, bytes = 1): void {
  for (let answer = 0; answer < answers; answer++) pace.entered(bytes);
}

describe('FlowPace', () => {
  it('is behind while as many answers as may be are on their way', () => {
    const [pace, listener] = [paceOf(), new Listener()];
    enter(pace, 2);
    expect(pace.isBehind).toBe(false);
    enter(pace, 1);
    pace.onReady(listener);
    pace.changed();
    expect([pace.isBehind, listener.told]).toEqual([true, 0]);

    pace.left(1);
    pace.changed();
    pace.changed();

    expect([pace.isBehind, listener.told]).toEqual([false, 1]);
  });

  it('takes fewer large ones, but so many as the steps work on', () => {
    const pace = paceOf();
    enter(pace, 1, MOST_UNREAD_BYTES);
    expect(pace.isBehind).toBe(false);
    pace.entered(1);
    expect(pace.isBehind).toBe(true);
    pace.left(MOST_UNREAD_BYTES);
    expect(pace.isBehind).toBe(false);
  });

  it('is behind while its reader is, however few answers are on their way', () => {
    let isSlow = true;
    const reader = new BenchReader(() => isSlow);
    const [pace, listener] = [paceOf(reader), new Listener()];
    expect(pace.isBehind).toBe(true);
    pace.onReady(listener);
    pace.changed();
    pace.changed();
    expect([reader.waiting, listener.told]).toEqual([1, 0]);

    isSlow = false;
    reader.read();

    expect([reader.waiting, listener.told]).toEqual([0, 1]);
  });

  it('waits on where the reader is ready and the answers are not', () => {
    let isSlow = true;
    const reader = new BenchReader(() => isSlow);
    const [pace, listener] = [paceOf(reader), new Listener()];
    enter(pace, 3);
    pace.onReady(listener);

    isSlow = false;
    reader.read();
    expect(listener.told).toBe(0);
    isSlow = true;
    pace.left(1);
    pace.changed();
    expect([reader.waiting, listener.told]).toEqual([1, 0]);
    isSlow = false;
    reader.read();

    expect(listener.told).toBe(1);
  });

  it('shares one bound among those whose turn it is not, which does not hold the one whose turn it is', () => {
    const outer = paceOf();
    const runs = [{ isTurn: true }, { isTurn: false }, { isTurn: false }];
    const [turn, second, third] = runs.map(
      (run) => new FlowPace(run, BOUNDS, { reader: undefined, outer }),
    );
    enter(second!, 2);
    expect([second, third].map((pace) => pace!.isBehind)).toEqual([false, false]);
    enter(third!, 1);
    expect([turn, second, third].map((pace) => pace!.isBehind)).toEqual([false, true, true]);

    const listener = new Listener();
    second!.onReady(listener);
    turn!.stop();
    runs[1]!.isTurn = true;
    second!.changed();

    expect([second!.isBehind, listener.told]).toEqual([false, 1]);
    expect(outer.isBehind).toBe(false);
  });

  it('lets everybody go when nobody waits for the answers any more', () => {
    const outer = paceOf();
    const [pace, other] = [0, 1].map(
      () => new FlowPace({ isTurn: false }, BOUNDS, { reader: undefined, outer }),
    );
    const listener = new Listener();
    enter(pace!, 3);
    pace!.onReady(listener);
    expect(other!.isBehind).toBe(true);

    pace!.stop();
    pace!.stop();

    expect([pace!.isBehind, listener.told, other!.isBehind]).toEqual([false, 1, false]);
  });
});

describe('flowBounds', () => {
  it('fills all steps behind, and lets some more wait for them', () => {
    expect(flowBounds(4, 3)).toEqual({ always: 12, most: 28 });
    expect(flowBounds(1, 0)).toEqual({ always: 1, most: 17 });
  });

  it('has a bound where nothing is said', () => {
    expect(flowBounds(Infinity, 2)).toEqual({ always: 16, most: 64 });
  });
});
