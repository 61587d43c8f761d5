// Sequences of models whose instances remember them: the scheduler of sequences with bound slots and steps that are not merged.

import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { aTensor, valuesOf } from '../testing/build.js';
import { BoundBench, idsOf } from '../testing/bound-bench.js';

const OLDEST = 'oldest { max_candidate_sequences: 2 }';

function outcomesOf(asked: readonly ReturnType<BoundBench['ask']>[]): string[] {
  return asked.map(({ reply }) => reply.outcome);
}

describe.each(['direct { }', OLDEST])(
  'sequences that their instance remembers (%s)',
  (strategy) => {
    it('stay with the instance that they began on, spread over those that there are', async () => {
      const bench = new BoundBench({ strategy });

      for (const id of [1, 2, 3, 4]) bench.start(id);
      await bench.run();
      const steps = [4, 3, 2, 1].map((id) => bench.ask(id, { x: id, sequenceEnd: true }));
      await bench.run();

      const [one, other] = bench.runner.instances;
      expect(one!.started.map(idsOf)).toEqual([[1, 3], strategy === OLDEST ? [3, 1] : [1, 3]]);
      expect(other!.started.map(idsOf)).toEqual([[2, 4], strategy === OLDEST ? [4, 2] : [2, 4]]);
      expect(steps.map(({ reply }) => valuesOf(reply.responses[0]!.outputs[0]!)[0])).toEqual([
        4, 3, 2, 1,
      ]);
      expect(bench.leftovers).toEqual([0, 0, 0, 0]);
    });

    it('leave no step without an end, and give none an answer that was not made', async () => {
      const bench = new BoundBench({ strategy, instances: 1 });
      const steps = [bench.start(1), bench.start(2)];
      bench.clock.runDeferred();

      await bench.runner.end(0, [[aTensor('x', [1, 1], [7])]]);

      expect(outcomesOf(steps)).toEqual(['ok', 'INTERNAL']);
    });

    it('wait for their instance, while those of others run', async () => {
      const bench = new BoundBench({ strategy, maxBatchSize: 1 });
      bench.start(1);
      bench.start(2);
      bench.clock.runDeferred();
      await bench.runner.end(1);

      const steps = [bench.ask(1), bench.ask(2)];
      bench.clock.runDeferred();
      expect(bench.runner.instances.map(({ started }) => started.map(idsOf))).toEqual([
        [[1]],
        [[2], [2]],
      ]);
      await bench.run();

      expect(outcomesOf(steps)).toEqual(['ok', 'ok']);
    });

    it('run one step at a time, in order', async () => {
      const bench = new BoundBench({ strategy, instances: 1 });

      const steps = [bench.start(1, { x: 1 }), bench.ask(1, { x: 2 }), bench.ask(1, { x: 3 })];
      bench.clock.runDeferred();
      expect(bench.runner.instances[0]!.started).toHaveLength(1);
      await bench.run();

      const { started } = bench.runner.instances[0]!;
      expect(started.map(({ entries }) => valuesOf(entries[0]!.request.inputs[0]!)[0])).toEqual([
        1, 2, 3,
      ]);
      expect(outcomesOf(steps)).toEqual(['ok', 'ok', 'ok']);
    });

    it('have in the backlog those for which there is no slot', async () => {
      const bench = new BoundBench({ strategy, instances: 1 });
      bench.start(1);
      bench.start(2);
      await bench.run();

      const third = bench.start(3);
      await bench.run();
      expect(third.reply.outcome).toBe('pending');
      bench.ask(1, { sequenceEnd: true });
      await bench.run();

      expect(third.reply.outcome).toBe('ok');
    });

    it('are forgotten by their instance when they are over, whether by END or because nothing comes', async () => {
      const bench = new BoundBench({ strategy, instances: 1, idleUs: 10_000 });
      bench.start(1);
      bench.start(2, { sequenceEnd: true });
      await bench.run();
      const [instance] = bench.runner.instances;
      const serials = instance!.started.flatMap(({ entries }) =>
        entries.map(({ sequence }) => sequence!.serial),
      );
      expect(instance!.forgotten).toEqual([serials[1]]);

      bench.clock.advance(12);

      expect(instance!.forgotten).toEqual([serials[1], serials[0]]);
      expect(bench.leftovers).toEqual([0, 0, 0, 0]);
    });

    it('are lost with their instance: what waits is told so, and what comes must begin again', async () => {
      const bench = new BoundBench({ strategy, maxBatchSize: 1 });
      bench.start(1);
      bench.start(2);
      await bench.run();

      const running = bench.ask(1);
      bench.clock.runDeferred();
      const waiting = bench.ask(1);
      await bench.runner.lose(0);
      const later = bench.ask(1);
      const other = bench.ask(2);
      await bench.run();

      expect(running.reply.ends[0]?.message).toBe('its thread has ended');
      expect(waiting.reply.ends[0]).toMatchObject({
        code: 'BACKEND_LOST',
        message:
          "sequence 1 of model 'm' was lost with the thread of its instance, which has ended: begin it again, with the START flag",
      });
      expect(later.reply.ends[0]?.message).toContain('must specify the START flag');
      expect(other.reply.outcome).toBe('ok');
      await bench.runner.bringBack(0);
      const again = bench.start(1);
      await bench.run();
      expect(again.reply.outcome).toBe('ok');
    });

    it('are not lost with their instance while they have not begun', async () => {
      const bench = new BoundBench({ strategy, instances: 1 });
      bench.start(1);
      bench.clock.runDeferred();
      const asked = [bench.start(2), bench.ask(2)];

      await bench.runner.lose(0);
      expect(outcomesOf(asked)).toEqual(['pending', 'pending']);
      await bench.runner.bringBack(0);
      await bench.run();

      expect(outcomesOf(asked)).toEqual(['ok', 'ok']);
    });

    it('begin on an instance that is there, if there is one', async () => {
      const bench = new BoundBench({ strategy });
      await bench.runner.lose(0);

      bench.start(1);
      bench.start(2);
      await bench.run();

      expect(bench.runner.instances.map(({ started }) => started.flatMap(idsOf))).toEqual([
        [],
        [1, 2],
      ]);
    });

    it('have their instance until they end when it is to go, and it goes then', async () => {
      const bench = new BoundBench({ strategy });
      bench.start(1);
      bench.start(2);
      await bench.run();
      const [one, two] = bench.runner.instances;

      bench.runner.resize(1);
      bench.scheduler.resize(1);
      bench.start(3);
      bench.ask(2);
      await bench.run();
      expect([one!.started.flatMap(idsOf), two!.started.flatMap(idsOf)]).toEqual([
        [1, 3],
        [2, 2],
      ]);
      expect(bench.runner.retired).toEqual([]);
      bench.ask(2, { sequenceEnd: true });
      await bench.run();

      expect(bench.runner.retired).toEqual([two]);
    });

    it('do not keep an instance that has none', () => {
      const bench = new BoundBench({ strategy });
      const [, two] = bench.runner.instances;

      bench.runner.resize(1);
      bench.scheduler.resize(1);

      expect(bench.runner.retired).toEqual([two]);
    });
  },
);

describe('steps that are not merged', () => {
  it('are answered and failed each on its own, and their sequences go on', async () => {
    const bench = new BoundBench({ instances: 1 });
    const steps = [bench.start(1), bench.start(2)];
    bench.clock.runDeferred();

    const no = new RuntimeError('INVALID_ARGUMENT', 'no');
    await bench.runner.end(0, [no, [aTensor('x', [1, 1], [7])]]);
    const next = bench.ask(1);
    await bench.run();

    expect(outcomesOf([...steps, next])).toEqual(['INVALID_ARGUMENT', 'ok', 'ok']);
    expect(valuesOf(steps[1]!.reply.responses[0]!.outputs[0]!)).toEqual([7]);
  });

  it('are not tried again when their batch has failed, as the code may remember some of it', async () => {
    const bench = new BoundBench({ instances: 1 });
    const steps = [bench.start(1), bench.start(2)];
    bench.clock.runDeferred();

    await bench.runner.fail(0);
    await bench.run();

    expect(outcomesOf(steps)).toEqual(['BACKEND_FAILED', 'BACKEND_FAILED']);
    expect(bench.runner.instances[0]!.started).toHaveLength(1);
  });

  it('bring controls behind the inputs, and say where in their sequence they are', async () => {
    const bench = new BoundBench({
      instances: 1,
      more: `
        control_input [ { name: "S" control [ { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } ] } ]
        control_input [ { name: "I" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] } ]`,
    });
    bench.start(5);
    bench.ask(5, { sequenceEnd: true });
    await bench.run();

    const entries = bench.runner.instances[0]!.started.flatMap((batch) => batch.entries);
    expect(entries.map(({ sequence }) => sequence)).toMatchObject([
      { id: 5, start: true, end: false },
      { id: 5, start: false, end: true },
    ]);
    expect(entries.map(({ request }) => request.inputs.map(({ name }) => name))).toEqual([
      ...[
        ['x', 'S', 'I'],
        ['x', 'S', 'I'],
      ],
    ]);
    expect(entries.map(({ request }) => valuesOf(request.inputs[1]!)[0])).toEqual([1, 0]);
  });

  it('have no rows for slots in which nothing is to be done', async () => {
    const bench = new BoundBench({ instances: 1 });
    bench.start(1);
    bench.start(2);
    await bench.run();

    const step = bench.ask(2);
    await bench.run();

    expect(bench.runner.instances[0]!.started.map(idsOf)).toEqual([[1, 2], [2]]);
    expect([bench.statistics.inferenceCount, step.call.timings.batchSize]).toEqual([3, 1]);
  });
});
