import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS } from '../core/inference.js';
import type { Servable } from '../core/servable.js';
import { EnsembleBench, tensorOf, type BenchStep } from '../testing/ensemble-bench.js';
import { SchedulerBench } from '../testing/scheduler-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';

const I = tensorOf('I', Uint8Array.of(1));
const some = (value: number): { data: Uint8Array } => ({ data: Uint8Array.of(value) });
const broken = new RuntimeError('BACKEND_FAILED', 'no');

/** I > a > left, I > b > right; left, right > c > O */
const DIAMOND: readonly BenchStep[] = [
  { model: 'a', reads: ['I'], writes: ['left'] },
  { model: 'b', reads: ['I'], writes: ['right'] },
  { model: 'c', reads: ['left', 'right'], writes: ['O'] },
];
const ENDS = { inputs: ['I'], outputs: ['O'] };

servableConformance('Ensemble', () => {
  const { scheduler, runner, clock } = new SchedulerBench();
  const model: Servable = {
    infer: (request, call, reply) => {
      const inputs = request.inputs.map((tensor) => ({ ...tensor, name: 'INPUT0' }));
      scheduler.infer({ ...request, inputs, outputs: [] }, call, {
        response: ({ outputs, ...rest }) =>
          reply.response({
            ...rest,
            outputs: outputs.map((tensor) => ({ ...tensor, name: 'y0' })),
          }),
        end: (error) => reply.end(error),
      });
    },
  };
  const steps = [
    { model: 'm', reads: ['INPUT0'], writes: ['t'] },
    { model: 'm', reads: ['t'], writes: ['O'] },
  ];
  const tensors = { inputs: ['INPUT0'], outputs: ['O'] };
  const { ensemble } = new EnsembleBench(steps, tensors, { model, clock });
  return {
    ...{ servable: ensemble, clock },
    finish: async () => {
      for (let step = 0; step < steps.length; step++) {
        clock.runDeferred();
        await runner.releaseAll();
      }
    },
    breakDown: async () => {
      clock.runDeferred();
      await runner.fail();
    },
  };
});

describe('Ensemble', () => {
  it('runs side by side what nothing keeps apart, and hands tensors on without a copy', () => {
    const bench = new EnsembleBench(DIAMOND, ENDS);

    const { reply } = bench.ask([I], { id: 'r' });
    expect(bench.running.map(({ model }) => model)).toEqual(['a', 'b']);
    const [left, right] = [some(2), some(3)];
    bench.step('b').answer(right);
    bench.step('a').answer(left);
    const { request } = bench.step('c');
    bench.step('c').answer(some(4));

    expect(request).toMatchObject({ modelName: 'c', id: 'r', outputs: [{ name: 'y0' }] });
    expect(request.inputs.map(({ name }) => name)).toEqual(['x0', 'x1']);
    expect(request.inputs[0]!.data).toBe(left.data);
    expect(reply.responses[0]).toMatchObject({ modelName: 'e', modelVersion: '1' });
    expect(reply.responses[0]!.outputs.map(({ name, data }) => [name, ...data])).toEqual([
      ['O', 4],
    ]);
    expect(reply.ends).toEqual([undefined]);
  });

  it('gives up its other legs when a step fails, and says which ensemble it was', () => {
    const bench = new EnsembleBench(DIAMOND, ENDS);

    const { reply } = bench.ask([I]);
    const other = bench.step('b');
    bench.step('a').end(broken);

    expect(reply.ends.map((error) => [error?.code, error?.message])).toEqual([
      ['BACKEND_FAILED', "in ensemble 'e', no"],
    ]);
    expect(other.call.cancelled).toBe(true);
    expect(bench.running).toEqual([]);
    expect(
      bench.targets.map(({ figures: { sent, failed, abandoned } }) => [sent, failed, abandoned]),
    ).toEqual([
      [1, 1, 0],
      [1, 0, 1],
      [0, 0, 0],
    ]);
  });

  it('runs no step that the requested outputs do not need', () => {
    const bench = new EnsembleBench(
      [
        { model: 'a', reads: ['I'], writes: ['O'] },
        { model: 'b', reads: ['I'], writes: ['t'] },
        { model: 'c', reads: ['t'], writes: ['P'] },
      ],
      { inputs: ['I'], outputs: ['O', 'P'] },
    );

    const { reply } = bench.ask([I], { outputs: [{ name: 'O', classCount: 0 }] });
    bench.step('a').answer(some(2));

    expect(bench.asked.map(({ model }) => model)).toEqual(['a']);
    expect(reply.responses[0]!.outputs.map(({ name }) => name)).toEqual(['O']);
  });

  it('uses what has arrived where a step may fail or be late', () => {
    const bench = new EnsembleBench(
      [
        { model: 'a', reads: ['I'], writes: ['left'], timeoutMs: 5, continues: true },
        { model: 'b', reads: ['I'], writes: ['right'], continues: true },
        { model: 'c', reads: ['I', 'left?', 'right?'], writes: ['O'] },
        { model: 'd', reads: ['left'], writes: ['P'] },
      ],
      { inputs: ['I'], outputs: ['O', 'P'] },
    );

    const { reply } = bench.ask([I]);
    const late = bench.step('a');
    bench.step('b').answer(some(3));
    bench.clock.advance(6);
    const { inputs } = bench.step('c').request;
    bench.step('c').answer(some(4));

    expect(inputs.map(({ name }) => name)).toEqual(['x0', 'x2']);
    expect([reply.outcome, late.call.cancelled]).toEqual(['ok', true]);
    expect(reply.responses[0]!.outputs.map(({ name }) => name)).toEqual(['O']);
    expect(bench.targets[0]!.figures).toMatchObject({ failed: 1, timedOut: 1 });
  });

  it('fails with the first error when nothing has arrived', () => {
    const [a] = DIAMOND;
    const bench = new EnsembleBench([{ ...a!, writes: ['O'], continues: true }], ENDS);

    const { reply } = bench.ask([I]);
    bench.step('a').end(broken);

    expect(reply.ends.map((error) => error?.message)).toEqual(["in ensemble 'e', no"]);
  });

  it('has Triton’s text for outputs that a model left out', () => {
    const bench = new EnsembleBench([{ model: 'a', reads: ['I'], writes: ['O'] }], ENDS);

    const { reply } = bench.ask([I]);
    bench.step('a').answer();

    expect(reply.ends.map((error) => error?.message)).toEqual([
      "in ensemble 'e', unexpected deadlock, at least one output is not set while no more ensemble steps can be made",
    ]);
  });

  it('hands on what is left of the time that the request may wait', () => {
    const bench = new EnsembleBench(
      [
        { model: 'a', reads: ['I'], writes: ['t'] },
        { model: 'b', reads: ['t'], writes: ['O'] },
      ],
      ENDS,
    );

    bench.ask([I], { parameters: { ...NO_PARAMETERS, priority: 2, timeoutMs: 10 } });
    const first = bench.step('a').request.parameters;
    bench.clock.advance(4);
    bench.step('a').answer(some(1));

    expect(first).toMatchObject({ timeoutMs: 10, priority: 2 });
    expect(bench.step('b').request.parameters).toMatchObject({ timeoutMs: 6, priority: 2 });
  });

  it('starts no step that cannot answer in time, as long as others took', () => {
    const bench = new EnsembleBench([{ model: 'a', reads: ['I'], writes: ['O'] }], ENDS);
    for (let at = 0; at < 5; at++) {
      bench.ask([I]);
      bench.clock.advance(50);
      bench.step('a').answer(some(1));
    }

    const { reply } = bench.ask([I], {}, { deadline: bench.clock.now() + 20 });

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect(bench.asked).toHaveLength(5);
  });

  it('is as long as its steps, and counts once', () => {
    const bench = new EnsembleBench(DIAMOND, ENDS);

    const { call } = bench.ask([I]);
    for (const model of ['a', 'b', 'c']) {
      const step = bench.step(model);
      step.call.timings.inferMs = 2;
      step.answer(some(1));
    }

    expect(call.timings).toMatchObject({ inferMs: 6, batchSize: 1 });
    expect(call.legs).toHaveLength(3);
    expect(bench.statistics.batches.get(1)?.infer.count).toBe(1);
  });
});
