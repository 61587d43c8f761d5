import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS, type InferenceRequest } from '../core/inference.js';
import type { RecordedReply } from '../testing/build.js';
import { aBatchedConfig, aModelConfig, aRequest, aTensor, valuesOf } from '../testing/build.js';
import { SchedulerBench } from '../testing/scheduler-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';

/** The request with an input that says to be as large; nobody could hold it. */
function withBytes(request: InferenceRequest, byteLength: number): InferenceRequest {
  const inputs = request.inputs.map((tensor) => ({
    ...tensor,
    data: { byteLength } as Uint8Array,
  }));
  return { ...request, inputs };
}

servableConformance('BatchScheduler', () => {
  const bench = new SchedulerBench();
  return {
    servable: bench.scheduler,
    clock: bench.clock,
    finish: async () => {
      bench.clock.runDeferred();
      await bench.runner.releaseAll();
    },
    breakDown: async () => {
      bench.clock.runDeferred();
      await bench.runner.fail();
    },
  };
});

describe('BatchScheduler', () => {
  it('puts requests that came together into one batch', async () => {
    const bench = new SchedulerBench();

    const replies = bench.askMany(3);
    await bench.runner.release();

    expect(bench.runner.startedRows).toEqual([3]);
    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  });

  it('gives each request the rows that are its own', async () => {
    const bench = new SchedulerBench();
    const ask = (value: number): RecordedReply =>
      bench.ask(aRequest({ inputs: [aTensor('INPUT0', [1, 2], [value, -value])] })).reply;

    const replies = [ask(1), ask(2), ask(3)];
    bench.clock.runDeferred();
    await bench.runner.release();

    expect(replies.map(({ responses }) => valuesOf(responses[0]!.outputs[0]!))).toEqual([
      [1, -1],
      [2, -2],
      [3, -3],
    ]);
  });

  it('lets requests pool up while every instance is busy', async () => {
    const bench = new SchedulerBench();

    bench.askMany(1);
    bench.askMany(2);
    bench.askMany(1);
    await bench.runner.releaseAll();

    expect(bench.runner.startedRows).toEqual([1, 3]);
  });

  it('uses every idle instance', () => {
    const bench = new SchedulerBench(aBatchedConfig(), 2);

    bench.askMany(7);

    expect(bench.runner.startedRows).toEqual([4, 3]);
  });

  it('sets no timer while every instance is busy', () => {
    const bench = new SchedulerBench(
      aBatchedConfig('dynamic_batching { max_queue_delay_microseconds: 5000 }'),
    );

    bench.askMany(4);
    bench.askMany(1);

    expect(bench.clock.timerCount).toBe(0);
  });

  it('dispatches a full batch without waiting for the delay', () => {
    const bench = new SchedulerBench(
      aBatchedConfig('dynamic_batching { max_queue_delay_microseconds: 5000 }'),
    );

    bench.askMany(3);
    expect(bench.runner.startedRows).toEqual([]);

    bench.askMany(1);
    expect(bench.runner.startedRows).toEqual([4]);
  });

  it('dispatches what there is when the oldest request has waited its delay', () => {
    const bench = new SchedulerBench(
      aBatchedConfig('dynamic_batching { max_queue_delay_microseconds: 5000 }'),
    );

    bench.askMany(1);
    bench.clock.advance(3);
    bench.askMany(1);
    bench.clock.advance(1);
    expect(bench.runner.startedRows).toEqual([]);

    bench.clock.advance(1);
    expect(bench.runner.startedRows).toEqual([2]);
  });

  it('executes requests one by one without a batcher, in their order', async () => {
    const bench = new SchedulerBench(aBatchedConfig(''));

    bench.askMany(3);
    await bench.runner.releaseAll();

    expect(bench.runner.startedRows).toEqual([1, 1, 1]);
  });

  it('refuses a request that finds the queue full, and only that', async () => {
    const bench = new SchedulerBench(
      aBatchedConfig('dynamic_batching { default_queue_policy { max_queue_size: 2 } }', 1),
    );
    bench.askMany(1);

    const replies = bench.askMany(3);
    await bench.runner.releaseAll();

    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'QUEUE_FULL']);
    expect(replies[2]!.ends[0]!.message).toBe(
      '[request id: <id_unknown>] Exceeds maximum queue size',
    );
  });

  it('rejects a request that has waited longer than the queue policy lets it, when that is due', () => {
    const bench = new SchedulerBench(
      aBatchedConfig(
        'dynamic_batching { default_queue_policy { default_timeout_microseconds: 20000 } }',
      ),
    );
    bench.askMany(1);

    const { reply } = bench.ask();
    bench.clock.advance(19);
    expect(reply.outcome).toBe('pending');

    bench.clock.advance(2);
    expect(reply.outcome).toBe('QUEUE_TIMEOUT');
    expect(reply.ends[0]!.message).toBe('Request timeout expired');
  });

  it('serves a request that is late under the DELAY policy after those that are not', async () => {
    const policy = 'timeout_action: DELAY default_timeout_microseconds: 20000';
    const bench = new SchedulerBench(
      aBatchedConfig(`dynamic_batching { default_queue_policy { ${policy} } }`, 1),
    );
    const order: string[] = [];
    const ask = (id: string): void => {
      const { reply } = bench.ask(aRequest({ id }));
      reply.end = () => void order.push(id);
    };

    ask('first');
    bench.clock.runDeferred();
    ask('late');
    bench.clock.advance(30);
    ask('timely');
    await bench.runner.releaseAll();

    expect(order).toEqual(['first', 'timely', 'late']);
  });

  it.each([
    ['a shorter timeout of the request where the policy allows it', true, 5, 'QUEUE_TIMEOUT'],
    ['not a longer one', true, 50, 'QUEUE_TIMEOUT'],
    ['not where the policy does not allow it', false, 5, 'pending'],
  ])('takes %s', (...[, allowed, timeoutMs, outcome]) => {
    const policy = `default_timeout_microseconds: 20000 allow_timeout_override: ${allowed}`;
    const bench = new SchedulerBench(
      aBatchedConfig(`dynamic_batching { default_queue_policy { ${policy} } }`),
    );
    bench.askMany(1);

    const { reply } = bench.ask(aRequest({ parameters: { ...NO_PARAMETERS, timeoutMs } }));
    bench.clock.advance(timeoutMs === 5 ? 10 : 25);

    expect(reply.outcome).toBe(outcome);
  });

  it('answers a waiting request at its deadline and never runs it', async () => {
    const bench = new SchedulerBench();
    bench.askMany(1);

    const { reply } = bench.ask(aRequest(), bench.clock.now() + 10);
    bench.clock.advance(11);
    await bench.runner.releaseAll();

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect(bench.runner.startedRows).toEqual([1]);
  });

  it('frees the place of a cancelled request at once', async () => {
    const bench = new SchedulerBench(
      aBatchedConfig('dynamic_batching { default_queue_policy { max_queue_size: 1 } }', 1),
    );
    bench.askMany(1);

    const { call, reply } = bench.ask();
    call.cancel();
    const { reply: next } = bench.ask();
    await bench.runner.releaseAll();

    expect([reply.outcome, next.outcome]).toEqual(['CANCELLED', 'ok']);
    expect(bench.runner.startedRows).toEqual([1, 1]);
  });

  it('computes a running request that is cancelled to its end, for the others in its batch', async () => {
    const bench = new SchedulerBench();

    const { call, reply } = bench.ask();
    const { reply: other } = bench.ask();
    bench.clock.runDeferred();
    call.cancel();
    await bench.runner.release();

    expect([reply.outcome, other.outcome]).toEqual(['CANCELLED', 'ok']);
    expect(reply.ends).toHaveLength(1);
  });

  it('tries the requests of a failed batch once more, each by itself', async () => {
    const bench = new SchedulerBench();

    const replies = bench.askMany(3);
    await bench.runner.fail();
    await bench.runner.release();
    await bench.runner.fail('BACKEND_FAILED', 'bad row');
    await bench.runner.release();

    expect(bench.runner.startedRows).toEqual([3, 1, 1, 1]);
    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'BACKEND_FAILED', 'ok']);
    expect(replies[1]!.ends[0]!.message).toBe('bad row');
  });

  it('does not try again what a lost thread has lost', async () => {
    const bench = new SchedulerBench();

    const replies = bench.askMany(2);
    await bench.runner.fail('BACKEND_LOST');

    expect(bench.runner.startedRows).toEqual([2]);
    expect(replies.map(({ outcome }) => outcome)).toEqual(['BACKEND_LOST', 'BACKEND_LOST']);
  });

  it('answers those who wait when it is closed, and refuses those who come', async () => {
    const bench = new SchedulerBench();
    const [running] = bench.askMany(1);
    const [waiting] = bench.askMany(1);

    bench.scheduler.close();
    const [late] = bench.askMany(1);
    await bench.runner.releaseAll();

    expect([running, waiting, late].map((reply) => reply!.outcome)).toEqual([
      'ok',
      'SHUTTING_DOWN',
      'SHUTTING_DOWN',
    ]);
  });

  it('counts what waits and what was executed', async () => {
    const bench = new SchedulerBench();

    bench.askMany(1);
    bench.askMany(2);
    expect(bench.statistics.pending).toBe(2);
    await bench.runner.releaseAll();

    expect(bench.statistics).toMatchObject({ pending: 0, inferenceCount: 3, executionCount: 2 });
    expect([...bench.statistics.batches.keys()]).toEqual([1, 2]);
  });

  it('runs a model without a batch dimension one request at a time', async () => {
    const config = aModelConfig(`
      input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 3, 2 ] } ]
      output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 3, 2 ] } ]`);
    const bench = new SchedulerBench(config);

    const { reply } = bench.ask(aRequest({ rows: 3 }));
    bench.ask(aRequest({ rows: 3 }));
    bench.clock.runDeferred();
    await bench.runner.releaseAll();

    expect(bench.runner.startedRows).toEqual([1, 1]);
    expect(reply.responses[0]!.outputs[0]!.shape).toEqual([3, 2]);
  });

  it('tries those by themselves whose batch is too large to be built, and fails what is too large by itself', async () => {
    const bench = new SchedulerBench();
    const [blocker] = bench.askMany(1);
    const small = bench.ask();
    const huge = bench.ask(withBytes(aRequest(), 2 ** 50));
    bench.clock.runDeferred();

    await bench.runner.releaseAll();
    await bench.runner.releaseAll();

    expect([blocker!, small.reply, huge.reply].map(({ outcome }) => outcome)).toEqual([
      'ok',
      'ok',
      'BACKEND_FAILED',
    ]);
    expect(bench.statistics.pending).toBe(0);
  });
});
