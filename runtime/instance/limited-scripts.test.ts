// Instances of models in TypeScript that share resources.

import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeScriptThread } from '../testing/fake-script-thread.js';
import { ScriptBench, aGroup, settled } from '../testing/script-bench.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RateLimiter } from './rate-limiter.js';
import type { ScriptGroup } from './script-group.js';
import { ScriptResources } from './script-resources.js';
import { ScriptTask } from './script-task.js';

vi.mock('./script-thread.js', () => ({ ScriptThread: FakeScriptThread }));

beforeEach(() => FakeScriptThread.forgetAll());

interface TwoModels {
  readonly bench: ScriptBench;
  readonly groups: readonly [ScriptGroup, ScriptGroup];
  readonly threads: readonly [FakeScriptThread, FakeScriptThread];
}

/** Each needs the only R. */
async function twoModels(): Promise<TwoModels> {
  const bench = new ScriptBench(1);
  const groups = [
    await bench.start([aGroup({ needs: 1 })]),
    await bench.start([aGroup({ needs: 1 })]),
  ] as const;
  const threads = [FakeScriptThread.made[0]!, FakeScriptThread.made[1]!] as const;
  return { bench, groups, threads };
}

describe('ScriptGroup where resources are limited', () => {
  it('has no idle instance while another model has what it needs, and is told when that is free', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;
    let told = 0;
    other.onIdle(() => told++);

    const run = one.run(bench.batch());
    expect([one.idle, other.idle]).toEqual([0, 0]);

    other.awaitIdle();
    threads[0].executed(0);
    await run;
    expect([told, one.idle, other.idle]).toEqual([1, 1, 1]);
  });

  it('is told of resources also when the slot was the last to become free', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;
    let told = 0;
    one.onIdle(() => told++);

    void one.run(bench.batch());
    threads[0].asks(0, 'x');
    void other.run(bench.batch());
    one.awaitIdle();
    expect(one.idle).toBe(0);
    threads[1].executed(0);

    expect([told, one.idle]).toEqual([1, 1]);
  });

  it('holds nothing while it waits for another model, which may need the same', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;

    const runs = [one.run(bench.batch())];
    threads[0].asks(0, 'other');
    expect(other.idle).toBe(1);
    runs.push(other.run(bench.batch()));
    threads[1].executed(0);
    await bench.answer[0]!();
    threads[0].executed(0);

    await Promise.all(runs);
    expect([one.idle, other.idle]).toEqual([1, 1]);
  });

  it('tells its code of the answer when its resources are free again, before it runs anything else', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;
    let told = 0;
    one.onIdle(() => told++);

    void one.run(bench.batch());
    threads[0].asks(0, 'x');
    void other.run(bench.batch());
    one.awaitIdle();
    await bench.answer[0]!();
    expect([threads[0].answered, one.idle]).toEqual([[], 0]);

    threads[1].executed(0);
    expect([threads[0].answered, one.idle, other.idle, told]).toEqual([[0], 0, 0, 0]);
    threads[0].executed(0);
    expect(told).toBe(1);
  });

  it('tells of an answer at once while it waits for others all the same', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;

    void one.run(bench.batch());
    threads[0].asks(0, 'x', 0);
    threads[0].asks(0, 'y', 1);
    void other.run(bench.batch());
    await bench.answer[0]!();
    expect(threads[0].answered).toEqual([0]);
    await bench.answer[1]!();
    expect(threads[0].answered).toEqual([0]);
    threads[0].asks(0, 'z', 2);

    expect(threads[0].answered).toEqual([0, 1]);
  });

  it('does not count the time for which it waits for resources as its code’s', async () => {
    const { bench, groups, threads } = await twoModels();

    groups[0].run(bench.batch()).catch(() => undefined);
    threads[0].asks(0, 'x');
    void groups[1].run(bench.batch());
    await bench.answer[0]!();
    bench.clock.advance(99);
    threads[1].executed(0);
    bench.clock.advance(99);

    expect(bench.deaths).toEqual([]);
    bench.clock.advance(2);
    expect(bench.deaths).toHaveLength(1);
  });

  it.each([
    ['runs', () => undefined],
    ['waits', (thread: FakeScriptThread) => thread.asks(0, 'x')],
  ])('gives back what a batch had whose thread dies while it %s', async (_, before) => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;

    const run = one.run(bench.batch());
    before(threads[0]);
    threads[0].die();

    await expect(run).rejects.toThrow("the thread of model 'm' has ended");
    expect(other.idle).toBe(1);
    void other.run(bench.batch());
    threads[1].executed(0);
    expect(other.idle).toBe(1);
  });

  it('forgets a batch whose thread dies while it waits for its resources', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;

    const run = one.run(bench.batch());
    threads[0].asks(0, 'x');
    void other.run(bench.batch());
    await bench.answer[0]!();
    threads[0].die();
    await expect(run).rejects.toThrow('has ended');
    threads[1].executed(0);

    expect(other.idle).toBe(1);
    bench.clock.runDeferred();
    await settled();
    expect(one.idle).toBe(1);
  });

  it('lets the instance run that has run least, counted times its priority', async () => {
    const bench = new ScriptBench(1);
    const group = await bench.start([aGroup({ needs: 1 }), aGroup({ needs: 1, priority: 2 })]);

    for (let i = 0; i < 6; i++) {
      const before = FakeScriptThread.made.map(({ batches }) => batches.length);
      const run = group.run(bench.batch());
      const at = FakeScriptThread.made.findIndex(
        ({ batches }, index) => batches.length > before[index]!,
      );
      FakeScriptThread.made[at]!.executed(before[at]!);
      await run;
    }

    expect(FakeScriptThread.made.map(({ batches }) => batches.length)).toEqual([4, 2]);
  });

  it('cannot be made, or changed, to need more than there is', async () => {
    const bench = new ScriptBench(2);
    const group = await bench.start([aGroup({ needs: 1 })]);
    const tooMuch = 'limited to 2 which will prevent scheduling';

    await expect(bench.start([aGroup({ needs: 3 })])).rejects.toThrow(tooMuch);
    await expect(group.update([aGroup({ needs: 3 })])).rejects.toThrow(tooMuch);

    expect([group.size, group.idle, FakeScriptThread.made.length]).toEqual([1, 1, 1]);
  });

  it('needs what it is changed to need, and gives back what it had before', async () => {
    const bench = new ScriptBench(2);
    const [one, other] = [
      await bench.start([aGroup({ needs: 1 })]),
      await bench.start([aGroup({ needs: 1 })]),
    ];

    void one.run(bench.batch());
    await one.update([aGroup({ needs: 2 })]);
    void other.run(bench.batch());
    FakeScriptThread.made[0]!.executed(0);
    expect([one.idle, other.idle]).toEqual([0, 0]);
    FakeScriptThread.made[1]!.executed(0);

    expect([one.idle, other.idle]).toEqual([1, 1]);
  });

  it('lets a batch that waits for its resources end before it is unloaded', async () => {
    const { bench, groups, threads } = await twoModels();
    const [one, other] = groups;

    const run = one.run(bench.batch());
    threads[0].asks(0, 'x');
    void other.run(bench.batch());
    await bench.answer[0]!();
    const closing = one.close();
    threads[1].executed(0);
    threads[0].executed(0);

    await Promise.all([run, closing]);
    expect([other.idle, threads[0].hasEnded]).toEqual([1, true]);
  });
});

describe('batches that hold resources while their code runs', () => {
  it('never have more than there is, and all come to their end, whoever waits for whom', () => {
    const step = fc.record({
      what: fc.constantFrom('begin', 'ask', 'answer', 'end', 'die'),
      at: fc.nat(30),
    });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 80 }),
        (needs, steps) => {
          const play = new Play(needs);
          for (const { what, at } of steps) {
            play.do(what, at);
            expect(play.held).toBeLessThanOrEqual(3);
          }
          play.finish();
          expect([play.held, play.tasks.length]).toEqual([0, 0]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

interface Played {
  readonly task: ScriptTask;
  readonly needs: number;
  /** Calls to other models that have not been answered. */
  asked: number;
}

/** Instances that need some of three R each, and what their batches do. */
class Play {
  readonly tasks: Played[] = [];
  readonly #clock = new FakeClock();
  readonly #wheel = new TimerWheel(this.#clock);
  readonly #instances: readonly { readonly resources: ScriptResources; readonly needs: number }[];

  constructor(needs: readonly number[]) {
    const limiter = new RateLimiter([{ name: 'R', count: 3, device: undefined }]);
    this.#instances = needs.map((count) => {
      const rateLimiter = { priority: 1, resources: [{ name: 'R', isGlobal: false, count }] };
      const claim = limiter.join({ rateLimiter, deviceId: 0 });
      return { resources: new ScriptResources(claim, () => undefined), needs: count };
    });
  }

  /** What those hold whose code may run. */
  get held(): number {
    return this.tasks
      .filter(({ task }) => !task.isWaiting)
      .reduce((sum, { needs }) => sum + needs, 0);
  }

  do(what: string, at: number): void {
    const played = this.tasks[at % Math.max(this.tasks.length, 1)];
    if (what === 'begin') this.#begin(this.#instances[at % this.#instances.length]!);
    else if (!played) return;
    else if (what === 'ask') {
      played.asked++;
      played.task.waits();
    } else if (what === 'answer' && played.asked > 0) this.#answer(played);
    else if (what === 'end' && !played.task.isWaiting) this.#settle(played);
    else if (what === 'die') this.#settle(played, new RuntimeError('BACKEND_LOST', 'dead'));
  }

  /** Other models answer, and whoever can end does so, until nobody is left who can. */
  finish(): void {
    for (const played of this.tasks) while (played.asked > 0) this.#answer(played);
    for (let next = this.#running(); next; next = this.#running()) this.#settle(next);
  }

  #running(): Played | undefined {
    return this.tasks.find(({ task }) => !task.isWaiting);
  }

  #begin({ resources, needs }: { resources: ScriptResources; needs: number }): void {
    if (!resources.isFree) {
      resources.await();
      return;
    }
    const task = new ScriptTask(1, undefined, {
      ...{ clock: this.#clock, wheel: this.#wheel, limitMs: 100, resources },
      ...{ settle: () => undefined, overdue: () => undefined },
    });
    this.tasks.push({ task, needs, asked: 0 });
  }

  #answer(played: Played): void {
    played.asked--;
    played.task.goesOn(() => undefined);
  }

  #settle(played: Played, outcome?: RuntimeError): void {
    this.tasks.splice(this.tasks.indexOf(played), 1);
    played.task.settle(outcome ?? { kind: 'done', task: 1 });
  }
}
