// Instances of models in TypeScript, and what becomes of them when their threads die, in whatever they were doing.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Call } from '../core/call.js';
import { FakeScriptThread } from '../testing/fake-script-thread.js';
import { ScriptBench, aGroup, settled } from '../testing/script-bench.js';

vi.mock('./script-thread.js', () => ({ ScriptThread: FakeScriptThread }));

beforeEach(() => FakeScriptThread.forgetAll());

const threads = FakeScriptThread.made;

/** Deferred work, and the promises behind it. */
async function turn(bench: ScriptBench): Promise<void> {
  bench.clock.runDeferred();
  await settled();
}

describe('a thread that dies', () => {
  it('is replaced, and its batch is lost', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);

    const run = group.run(bench.batch());
    threads[0]!.die('boom');
    await expect(run).rejects.toThrow("the thread of model 'm' has ended: boom");
    expect(group.idle).toBe(0);
    await turn(bench);

    expect([group.idle, threads.length]).toEqual([1, 2]);
    expect(bench.deaths).toHaveLength(1);
  });

  it('while it waits for another model is not told of the answer, nor is the one in its place', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);

    const run = group.run(bench.batch());
    threads[0]!.asks(0, 'x');
    threads[0]!.die();
    await expect(run).rejects.toThrow('has ended');
    await turn(bench);
    await bench.answer[0]!();

    expect([threads[0]!.answered, threads[1]!.answered]).toEqual([[], []]);
    expect(group.idle).toBe(1);
  });

  it('while it is loaded anew is loaded once more', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);
    const lost: string[] = [];
    group.onLost(({ message }) => lost.push(message));

    threads[0]!.die();
    FakeScriptThread.onLoad = (thread) => {
      FakeScriptThread.onLoad = undefined;
      thread.die('at load');
    };
    await turn(bench);
    await turn(bench);

    expect([group.idle, threads.length, lost]).toEqual([1, 3, []]);
  });

  it('three times while nothing is asked of it is given up', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);
    const lost: string[] = [];
    group.onLost(({ message }) => lost.push(message));

    for (let i = 0; i < 3; i++) {
      threads.at(-1)!.die();
      await turn(bench);
    }

    expect(lost).toHaveLength(1);
    expect(lost[0]).toContain("model 'm' is no longer served");
  });

  it('while its model is unloaded is not replaced, and the unloading ends', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);

    const run = group.run(bench.batch());
    const closing = group.close();
    threads[0]!.die();
    await expect(run).rejects.toThrow('has ended');
    await closing;
    await turn(bench);

    expect(threads).toHaveLength(1);
  });
});

describe('a thread that is told to end', () => {
  it('has its say first, and no more than its time', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);

    const run = group.run(bench.batch());
    const closing = group.close();
    await settled();
    expect(threads[0]!.hasEnded).toBe(false);
    threads[0]!.executed(0);
    await Promise.all([run, closing]);

    expect(threads[0]!.inputs.map(({ kind }) => kind)).toEqual(['load', 'execute', 'finalize']);
    expect(threads[0]!.hasEnded).toBe(true);
  });
});

describe('a stream', () => {
  it('whose caller has gone before it began is begun and given up, in that order', async () => {
    const bench = new ScriptBench();
    bench.decoupled = true;
    const group = await bench.start([aGroup()]);
    const call = new Call(bench.clock.now());
    call.cancel();

    void group.run(bench.batch(call));

    expect(threads[0]!.inputs.map(({ kind }) => kind)).toEqual(['load', 'execute', 'cancel']);
  });
});

describe('instances of which there are to be fewer', () => {
  it('go when what they run has ended', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup({ count: 2 })]);

    const runs = [group.run(bench.batch()), group.run(bench.batch())];
    const updating = group.update([aGroup()]);
    await settled();
    expect([group.size, threads[1]!.hasEnded]).toEqual([1, false]);
    for (const thread of threads) thread.executed(0);
    await Promise.all([updating, ...runs]);

    expect(threads.map(({ hasEnded }) => hasEnded)).toEqual([false, true]);
  });

  it('are not loaded anew, nor is their model given up, when their thread has died before', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup({ count: 2 })]);
    const lost: string[] = [];
    group.onLost(({ message }) => lost.push(message));

    threads[1]!.die();
    const tasks: number[] = [];
    FakeScriptThread.onLoad = (_, task) => tasks.push(task);
    bench.clock.runDeferred();
    const updating = group.update([aGroup()]);
    const failure = { code: 'INVALID_ARGUMENT', message: 'initialize failed' } as const;
    threads[2]!.says({ kind: 'failed', task: tasks[0]!, failure });
    await updating;
    await turn(bench);

    expect(lost).toEqual([]);
    expect([group.idle, threads.length, threads[2]!.hasEnded]).toEqual([1, 3, true]);
  });

  it('serve their sequences until there are none, where sequences stay with them', async () => {
    const bench = new ScriptBench();
    bench.isBound = true;
    const group = await bench.start([aGroup({ count: 2 })]);
    const [, second] = group.instances;

    await group.update([aGroup()]);
    const run = second!.run(bench.batch());
    threads[1]!.executed(0);
    await run;
    expect([group.size, group.idle, threads[1]!.hasEnded]).toEqual([1, 2, false]);
    group.retire(second!);
    await settled();

    expect([group.idle, threads[1]!.hasEnded]).toEqual([1, true]);
  });

  it('end with their model, where they still serve sequences', async () => {
    const bench = new ScriptBench();
    bench.isBound = true;
    const group = await bench.start([aGroup({ count: 2 })]);

    await group.update([aGroup()]);
    await group.close();

    expect(threads.map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
  });
});

describe('instances that are made while their model is unloaded', () => {
  it('end, too', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);
    const tasks: number[] = [];
    FakeScriptThread.onLoad = (_, task) => tasks.push(task);

    const updating = group.update([aGroup({ count: 2 })]);
    await group.close();
    FakeScriptThread.onLoad = undefined;
    threads[1]!.says({ kind: 'done', task: tasks[0]! });

    await expect(updating).rejects.toThrow('the model has been unloaded');
    expect(threads.map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
  });
});

describe('instances that remember sequences', () => {
  it('say when they have lost them', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup({ count: 2 })]);
    const [, second] = group.instances;
    const lost: unknown[] = [];
    group.onInstanceLost((instance) => lost.push(instance));

    threads[1]!.die();

    expect(lost).toEqual([second]);
    expect(second!.isLost).toBe(true);
    await turn(bench);
    expect(second!.isLost).toBe(false);
  });

  it('tell their code which sequence is over', async () => {
    const bench = new ScriptBench();
    const group = await bench.start([aGroup()]);

    group.instances[0]!.forget(7);

    expect(threads[0]!.inputs.at(-1)).toEqual({ kind: 'forget', sequence: 7 });
  });
});
