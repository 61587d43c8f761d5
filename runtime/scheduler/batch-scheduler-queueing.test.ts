// Who waits behind whom, and for how long: priorities, deadlines, the order of responses.

import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS } from '../core/inference.js';
import type { RecordedReply } from '../testing/build.js';
import { aBatchedConfig, aRequest } from '../testing/build.js';
import { SchedulerBench } from '../testing/scheduler-bench.js';

/** Notes the order in which requests are answered. */
class Orders extends SchedulerBench {
  readonly answered: string[] = [];

  request(id: string, about: { priority?: number; timeoutMs?: number; inMs?: number } = {}): void {
    const { priority = 0, timeoutMs = 0, inMs } = about;
    const parameters = { ...NO_PARAMETERS, priority, timeoutMs };
    const deadline = inMs === undefined ? undefined : this.clock.now() + inMs;
    const { reply } = this.ask(aRequest({ id, parameters }), deadline);
    const note = (outcome: string): void =>
      void this.answered.push(outcome === 'ok' ? id : `${id}: ${outcome}`);
    if (reply.outcome === 'pending') reply.end = (error) => note(error?.code ?? 'ok');
    else note(reply.outcome);
  }

  /** An instance is busy from then on. */
  busy(): void {
    this.askMany(1);
  }
}

function ordersOf(batching: string, { maxBatchSize = 1, more = '' } = {}): Orders {
  return new Orders(aBatchedConfig(`dynamic_batching { ${batching} } ${more}`, maxBatchSize));
}

function parameter(key: string, value: string): string {
  return `parameters { key: "${key}" value { string_value: "${value}" } }`;
}

describe('BatchScheduler with priority levels', () => {
  const levels = 'priority_levels: 3 default_priority_level: 2';

  it('executes a higher level first, however long the lower ones have waited', async () => {
    const orders = ordersOf(levels);
    orders.busy();

    orders.request('low', { priority: 3 });
    orders.request('middle', { priority: 2 });
    orders.clock.advance(10_000);
    orders.request('high', { priority: 1 });
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['high', 'middle', 'low']);
  });

  it.each([0, 4, 1000])('takes %i, which is no level, for the default', async (priority) => {
    const orders = ordersOf(levels);
    orders.busy();

    orders.request('low', { priority: 3 });
    orders.request('it', { priority });
    orders.request('middle', { priority: 2 });
    orders.request('high', { priority: 1 });
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['high', 'it', 'middle', 'low']);
  });

  it('fills a batch from the levels below', async () => {
    const orders = ordersOf(levels, { maxBatchSize: 4 });
    orders.busy();

    for (const priority of [3, 3, 3, 1, 2]) orders.request(String(priority), { priority });
    await orders.runner.releaseAll();

    expect(orders.runner.startedRows).toEqual([1, 4, 1]);
    expect(orders.answered).toEqual(['1', '2', '3', '3', '3']);
  });

  it('counts the delay from the request that has waited longest, at whatever level', () => {
    const orders = ordersOf(`${levels} max_queue_delay_microseconds: 5000`, { maxBatchSize: 4 });

    orders.request('low', { priority: 3 });
    orders.clock.advance(4);
    orders.request('high', { priority: 1 });
    orders.clock.advance(1);

    expect(orders.runner.startedRows).toEqual([2]);
  });

  it('holds each level to its own queue policy', async () => {
    const orders = ordersOf(`${levels}
      default_queue_policy { max_queue_size: 2 }
      priority_queue_policy { key: 3 value { max_queue_size: 1 default_timeout_microseconds: 20000 } }`);
    orders.busy();

    for (const id of ['a', 'b', 'c']) orders.request(id);
    for (const id of ['d', 'e']) orders.request(id, { priority: 3 });
    orders.clock.advance(30);
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual([
      'c: QUEUE_FULL',
      'e: QUEUE_FULL',
      'd: QUEUE_TIMEOUT',
      'a',
      'b',
    ]);
  });

  it('serves what is delayed after the others of its level, before the levels below', async () => {
    const orders = ordersOf(`${levels}
      default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 20000 }
      priority_queue_policy { key: 3 value { } }`);
    orders.busy();

    orders.request('late');
    orders.request('low', { priority: 3 });
    orders.clock.advance(30);
    orders.request('timely');
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['timely', 'late', 'low']);
  });

  it('ends the waiting of a request by whichever is first: its deadline, its own timeout, that of its level', () => {
    const orders = ordersOf(`${levels}
      priority_queue_policy { key: 1 value { default_timeout_microseconds: 20000 allow_timeout_override: true } }`);
    orders.busy();

    orders.request('deadline', { priority: 1, inMs: 10, timeoutMs: 15 });
    orders.request('own timeout', { priority: 1, inMs: 100, timeoutMs: 15 });
    orders.request('level', { priority: 1, timeoutMs: 50 });
    orders.request('other level', { priority: 2, timeoutMs: 5 });
    orders.clock.advance(25);

    expect(orders.answered).toEqual([
      'deadline: DEADLINE_EXCEEDED',
      'own timeout: QUEUE_TIMEOUT',
      'level: QUEUE_TIMEOUT',
    ]);
  });

  it('tries the requests of a failed batch again at their own levels', async () => {
    const orders = ordersOf(levels, { maxBatchSize: 2 });

    orders.request('low', { priority: 3 });
    orders.request('middle', { priority: 2 });
    orders.clock.runDeferred();
    orders.request('high', { priority: 1 });
    await orders.runner.fail();
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['high', 'middle', 'low']);
  });
});

describe('BatchScheduler with preserve_ordering', () => {
  it('answers in the order in which requests came, whichever instance is done first', async () => {
    const config = aBatchedConfig('dynamic_batching { preserve_ordering: true }', 1);
    const bench = new SchedulerBench(config, 2);
    const answered: string[] = [];
    for (const id of ['a', 'b', 'c']) {
      const { reply } = bench.ask(aRequest({ id }));
      reply.end = () => void answered.push(id);
    }
    bench.clock.runDeferred();

    await bench.runner.releaseLast();
    expect(answered).toEqual([]);

    await bench.runner.releaseAll();
    expect(answered).toEqual(['a', 'b', 'c']);
  });

  it('waits for nobody who is cancelled', async () => {
    const config = aBatchedConfig('dynamic_batching { preserve_ordering: true }', 1);
    const bench = new SchedulerBench(config, 2);
    const first = bench.ask();
    const second = bench.ask();
    bench.clock.runDeferred();

    await bench.runner.releaseLast();
    first.call.cancel();

    expect([first, second].map(({ reply }) => reply.outcome)).toEqual(['CANCELLED', 'ok']);
  });
});

describe('BatchScheduler with the parameter queue_order', () => {
  it('executes those first whose deadline or queue timeout is nearest', async () => {
    const orders = ordersOf(
      'default_queue_policy { allow_timeout_override: true default_timeout_microseconds: 500000 }',
      { more: parameter('queue_order', 'deadline') },
    );
    orders.busy();

    orders.request('policy');
    orders.request('deadline', { inMs: 100 });
    orders.request('timeout', { timeoutMs: 50, inMs: 1000 });
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['timeout', 'deadline', 'policy']);
  });
});

describe('BatchScheduler with the parameter shed_late', () => {
  async function measured(ms: number): Promise<Orders> {
    const orders = ordersOf('', { more: parameter('shed_late', 'true') });
    orders.busy();
    orders.clock.advance(ms);
    await orders.runner.releaseAll();
    return orders;
  }

  it('refuses at once what cannot be executed in time', async () => {
    const orders = await measured(40);
    orders.busy();

    orders.request('hopeless', { inMs: 30 });
    orders.request('hopeful', { inMs: 50 });

    expect(orders.answered).toEqual(['hopeless: DEADLINE_EXCEEDED']);
    expect(orders.statistics.pending).toBe(1);
  });

  it('says how long the model takes', async () => {
    const bench = await measured(40);
    bench.busy();

    const { reply } = bench.ask(aRequest(), bench.clock.now() + 30);

    expect(reply.ends[0]!.message).toBe(
      'Deadline is too close for the request to be executed: the model takes 40.0 ms',
    );
  });

  it('gives up what waits as soon as it is too late to be executed', async () => {
    const orders = await measured(40);
    orders.busy();

    orders.request('it', { inMs: 100 });
    orders.clock.advance(59);
    expect(orders.answered).toEqual([]);

    orders.clock.advance(2);
    expect(orders.answered).toEqual(['it: DEADLINE_EXCEEDED']);
  });

  it('lets a request through when nothing else is there, so that a model that was slow once is measured again', async () => {
    const orders = await measured(5000);

    orders.request('it', { inMs: 30 });
    orders.clock.runDeferred();
    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['it']);
  });

  it('is off unless it is asked for', async () => {
    const orders = ordersOf('');
    orders.busy();
    orders.clock.advance(40);
    await orders.runner.releaseAll();
    orders.busy();

    const reply: RecordedReply = orders.ask(aRequest(), orders.clock.now() + 30).reply;

    expect(reply.outcome).toBe('pending');
  });
});

describe('BatchScheduler while the event loop is late', () => {
  const policy = (about: string): string =>
    `default_queue_policy { default_timeout_microseconds: 20000 ${about} }`;

  it('runs nobody whose deadline or timeout has passed, though no timer has fired', async () => {
    const orders = ordersOf(policy('allow_timeout_override: true'), { maxBatchSize: 4 });
    orders.busy();
    orders.request('deadline', { inMs: 5 });
    orders.request('own timeout', { timeoutMs: 6 });
    orders.request('policy');
    orders.clock.stall(8);
    orders.request('timely');

    await orders.runner.release();

    expect(orders.answered).toEqual(['deadline: DEADLINE_EXCEEDED', 'own timeout: QUEUE_TIMEOUT']);
    expect(orders.runner.startedRows).toEqual([1, 2]);
    expect(orders.statistics.pending).toBe(0);
  });

  it('runs who is late under DELAY after those who are not', async () => {
    const orders = ordersOf(policy('timeout_action: DELAY'));
    orders.busy();
    orders.request('late');
    orders.clock.stall(20);
    orders.request('timely');

    await orders.runner.releaseAll();

    expect(orders.answered).toEqual(['timely', 'late']);
  });
});

describe('BatchScheduler with a delay', () => {
  const delay = 'max_queue_delay_microseconds: 50000';

  it('lets nobody wait for company until it is too late for his deadline, as far as the model is known', async () => {
    const orders = ordersOf(delay, { maxBatchSize: 4 });
    orders.askMany(4);
    orders.clock.advance(10);
    await orders.runner.release();

    orders.request('calm');
    orders.request('urgent', { inMs: 30 });
    orders.clock.advance(17);
    expect(orders.runner.startedRows).toEqual([4]);
    orders.clock.advance(1);

    expect(orders.runner.startedRows).toEqual([4, 2]);
  });

  it('lets nobody wait for company until his time in the queue is over', () => {
    const orders = ordersOf(
      `${delay} default_queue_policy { default_timeout_microseconds: 9000 }`,
      {
        maxBatchSize: 4,
      },
    );

    orders.request('it');
    orders.clock.advance(9);

    expect(orders.runner.startedRows).toEqual([1]);
  });

  it('gathers a batch while all instances are busy, and starts it in the moment in which one is free', async () => {
    const orders = ordersOf(delay, { maxBatchSize: 4 });
    orders.askMany(4);
    for (const id of ['a', 'b', 'c', 'd', 'e']) orders.request(id);

    await orders.runner.release();

    expect(orders.runner.startedRows).toEqual([4, 4]);
    expect(orders.clock.deferredCount).toBe(0);
  });
});

describe('BatchScheduler with a queue that is full', () => {
  it('refuses nobody while an instance is idle that takes those who wait', () => {
    const orders = ordersOf('default_queue_policy { max_queue_size: 2 }', { maxBatchSize: 2 });

    for (const id of ['a', 'b', 'c', 'd', 'e']) orders.request(id);

    expect(orders.answered).toEqual(['e: QUEUE_FULL']);
    expect(orders.runner.startedRows).toEqual([2]);
  });

  it('refuses who finds it full of requests that wait for company', () => {
    const orders = ordersOf(
      'max_queue_delay_microseconds: 50000 default_queue_policy { max_queue_size: 2 }',
      { maxBatchSize: 4 },
    );

    for (const id of ['a', 'b', 'c']) orders.request(id);

    expect(orders.answered).toEqual(['c: QUEUE_FULL']);
  });
});
