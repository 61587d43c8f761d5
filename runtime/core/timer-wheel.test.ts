import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { TimerNode, TimerWheel } from './timer-wheel.js';

class Note extends TimerNode {
  readonly due: number[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  override onDue(): void {
    this.due.push(this.#clock.now());
  }
}

describe('TimerWheel', () => {
  it('calls a node once, at its time or up to a millisecond later', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const node = new Note(clock);

    wheel.schedule(node, clock.now() + 5.5);
    clock.advance(5);
    expect(node.due).toEqual([]);

    clock.advance(100);
    expect(node.due).toEqual([1006]);
  });

  it('calls a node that was due before it came', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const node = new Note(clock);

    wheel.schedule(node, clock.now() - 10);
    clock.advance(2);

    expect(node.due).toHaveLength(1);
  });

  it('waits for times beyond one turn of the wheel', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const node = new Note(clock);

    wheel.schedule(node, clock.now() + 10_000);
    clock.advance(9_999);
    expect(node.due).toEqual([]);

    clock.advance(1);
    expect(node.due).toEqual([11_000]);
  });

  it('keeps nothing that is never due', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);

    wheel.schedule(new Note(clock), Infinity);

    expect(wheel.size).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  it('sets no timer while it is empty', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const node = new Note(clock);

    wheel.schedule(node, clock.now() + 50);
    expect(clock.timerCount).toBe(1);
    wheel.cancel(node);

    expect(clock.timerCount).toBe(0);
  });

  it('lets a node be scheduled again from its own callback', () => {
    const clock = new FakeClock();
    const wheel = new TimerWheel(clock);
    const times: number[] = [];
    const node = new (class extends TimerNode {
      override onDue(): void {
        times.push(clock.now());
        if (times.length < 3) wheel.schedule(this, clock.now() + 2);
      }
    })();

    wheel.schedule(node, clock.now() + 2);
    clock.advance(20);

    expect(times).toEqual([1002, 1004, 1006]);
  });

  it('agrees with a list of due times, whatever is scheduled and cancelled when', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('schedule' as const), in: fc.integer({ min: -3, max: 5000 }) }),
      fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 1500 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const clock = new FakeClock();
        const wheel = new TimerWheel(clock);
        const nodes: { node: Note; at: number; cancelled: boolean }[] = [];
        for (const action of steps) {
          if (action.do === 'schedule') {
            const node = new Note(clock);
            nodes.push({ node, at: clock.now() + action.in, cancelled: false });
            wheel.schedule(node, clock.now() + action.in);
          } else if (action.do === 'cancel') {
            const entry = nodes[action.which];
            if (!entry) continue;
            if (entry.node.due.length === 0) entry.cancelled = true;
            wheel.cancel(entry.node);
          } else clock.advance(action.ms);
        }
        clock.advance(7000);

        expect(wheel.size).toBe(0);
        for (const { node, at, cancelled } of nodes) {
          expect(node.due).toHaveLength(cancelled ? 0 : 1);
          if (!cancelled) expect(node.due[0]).toBeGreaterThanOrEqual(at);
        }
      }),
      { numRuns: 300 },
    );
  });
});
