import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { RecordedReply } from '../testing/build.js';
import {
  EnsembleBench,
  tensorOf,
  type AskedStep,
  type BenchStep,
} from '../testing/ensemble-bench.js';

const I = tensorOf('I', Uint8Array.of(1));
const some = (value: number): { data: Uint8Array } => ({ data: Uint8Array.of(value) });
const broken = new RuntimeError('BACKEND_FAILED', 'no');

/** I > d > each; each > m > O, where d answers any number of times. */
const STREAM: readonly BenchStep[] = [
  { model: 'd', reads: ['I'], writes: ['each'], decoupled: true },
  { model: 'm', reads: ['each'], writes: ['O'] },
];
const ENDS = { inputs: ['I'], outputs: ['O'] };

/** The steps of `model` that are under way. */
function under(bench: EnsembleBench, model: string): AskedStep[] {
  return bench.running.filter((step) => step.model === model);
}

/** What each of them was given first. */
function given(steps: readonly AskedStep[]): number[] {
  return steps.map(({ request }) => request.inputs[0]!.data[0]!);
}

function answers({ responses }: RecordedReply): number[] {
  return responses.map(({ outputs }) => outputs[0]!.data[0]!);
}

describe('an ensemble with a decoupled step', () => {
  it('answers once for each of its answers, in their order, and ends when all have ended', () => {
    const bench = new EnsembleBench(STREAM, ENDS);

    const { reply } = bench.ask([I]);
    const stream = bench.step('d');
    for (const value of [1, 2, 3]) stream.tell(some(value));
    const [first, second, third] = under(bench, 'm');
    expect(given([first!, second!, third!])).toEqual([1, 2, 3]);
    third!.answer(some(30));
    second!.answer(some(20));
    expect(answers(reply)).toEqual([]);
    first!.answer(some(10));
    expect(answers(reply)).toEqual([10, 20, 30]);
    stream.tell(some(4));
    bench.step('m').answer(some(40));
    expect(reply.outcome).toBe('pending');
    stream.end();

    expect(answers(reply)).toEqual([10, 20, 30, 40]);
    expect(reply.responses[0]).toMatchObject({ modelName: 'e', modelVersion: '1' });
    expect(reply.ends).toEqual([undefined]);
  });

  it('ends without an answer where that step has none', () => {
    const bench = new EnsembleBench(STREAM, ENDS);

    const { reply } = bench.ask([I]);
    bench.step('d').end();

    expect([reply.outcome, reply.responses.length]).toEqual(['ok', 0]);
    expect(bench.asked.map(({ model }) => model)).toEqual(['d']);
  });

  it('gives each flow what comes beside that step, once it is there', () => {
    const bench = new EnsembleBench(
      [
        ...STREAM.slice(0, 1),
        { model: 'side', reads: ['I'], writes: ['P'] },
        { model: 'm', reads: ['each', 'P'], writes: ['O'] },
      ],
      { inputs: ['I'], outputs: ['O', 'P'] },
    );

    const { reply } = bench.ask([I]);
    bench.step('d').tell(some(1));
    bench.step('d').tell(some(2));
    bench.step('d').end();
    expect(under(bench, 'm')).toEqual([]);
    bench.step('side').answer(some(9));
    for (const step of under(bench, 'm')) step.answer(some(step.request.inputs[0]!.data[0]! * 10));

    expect(bench.asked.map(({ model }) => model)).toEqual(['d', 'side', 'm', 'm']);
    expect(
      reply.responses.map(({ outputs }) => outputs.map(({ name, data }) => [name, ...data])),
    ).toEqual([
      [
        ['O', 10],
        ['P', 9],
      ],
      [
        ['O', 20],
        ['P', 9],
      ],
    ]);
    expect(reply.outcome).toBe('ok');
  });

  it('is not asked where the requested outputs do not need that step', () => {
    const bench = new EnsembleBench([...STREAM, { model: 'side', reads: ['I'], writes: ['P'] }], {
      inputs: ['I'],
      outputs: ['O', 'P'],
    });

    const { reply } = bench.ask([I], { outputs: [{ name: 'P', classCount: 0 }] });
    bench.step('side').answer(some(9));

    expect([reply.outcome, answers(reply)]).toEqual(['ok', [9]]);
    expect(bench.asked).toHaveLength(1);
  });

  it('nests where another decoupled step is behind the first', () => {
    const bench = new EnsembleBench(
      [
        { model: 'd', reads: ['I'], writes: ['each'], decoupled: true },
        { model: 'f', reads: ['each'], writes: ['O'], decoupled: true },
      ],
      ENDS,
    );

    const { reply } = bench.ask([I]);
    bench.step('d').tell(some(1));
    bench.step('d').tell(some(2));
    bench.step('d').tell(some(3));
    bench.step('d').end();
    const [one, two, three] = under(bench, 'f');
    two!.tell(some(21));
    one!.tell(some(11));
    expect(answers(reply)).toEqual([11]);
    two!.tell(some(22));
    three!.tell(some(31));
    three!.end();
    one!.tell(some(12));
    one!.end();
    expect(answers(reply)).toEqual([11, 12, 21, 22]);
    two!.end();

    expect(answers(reply)).toEqual([11, 12, 21, 22, 31]);
    expect(reply.ends).toEqual([undefined]);
  });

  it('counts a request once, and the times of all flows', () => {
    const bench = new EnsembleBench(STREAM, ENDS);

    const { call } = bench.ask([I]);
    const stream = bench.step('d');
    for (const value of [1, 2]) stream.tell(some(value));
    for (const step of under(bench, 'm')) {
      step.call.timings.inferMs = 2;
      step.answer(some(0));
    }
    stream.call.timings.inferMs = 3;
    stream.end();

    expect(call.timings).toMatchObject({ inferMs: 7, batchSize: 1 });
    expect(bench.statistics.batches.get(1)?.infer.count).toBe(1);
    expect(bench.targets.map(({ figures }) => figures.answered)).toEqual([1, 2]);
  });
});

describe('max_inflight_requests', () => {
  it('bounds the flows of one request that a step works on, and further ones wait in order', () => {
    const bench = new EnsembleBench(
      [
        ...STREAM.slice(0, 1),
        { model: 'm', reads: ['each'], writes: ['t'] },
        { model: 'n', reads: ['t'], writes: ['O'] },
      ],
      ENDS,
      { maxInflight: 2 },
    );

    const { reply } = bench.ask([I]);
    for (let value = 1; value <= 5; value++) bench.step('d').tell(some(value));
    bench.step('d').end();
    expect(given(under(bench, 'm'))).toEqual([1, 2]);
    under(bench, 'm')[1]!.answer(some(20));
    expect([given(under(bench, 'm')), given(under(bench, 'n'))]).toEqual([[1, 3], [20]]);
    bench.ask([I]);
    bench.step('d').tell(some(6));
    expect(given(under(bench, 'm'))).toEqual([1, 3, 6]);
    for (const value of [10, 30]) under(bench, 'm')[0]!.answer(some(value));
    expect([given(under(bench, 'm')), given(under(bench, 'n'))]).toEqual([
      [6, 4, 5],
      [20, 10],
    ]);
    for (const step of under(bench, 'm').slice(1))
      step.answer(some(step.request.inputs[0]!.data[0]! * 10));
    for (const value of [20, 10, 30, 40, 50]) {
      expect(given(under(bench, 'n')).length).toBeLessThanOrEqual(2);
      expect(given(under(bench, 'n'))[0]).toBe(value);
      under(bench, 'n')[0]!.answer(some(value));
    }

    expect(answers(reply)).toEqual([10, 20, 30, 40, 50]);
    expect(reply.outcome).toBe('ok');
  });

  it('lets many flows pass whose steps answer at once', () => {
    const model = {
      infer: (...[request, , reply]: Parameters<EnsembleBench['ensemble']['infer']>) => {
        const count = request.modelName === 'd' ? 20_000 : 1;
        for (let at = 0; at < count; at++)
          reply.response({
            ...{ modelName: '', modelVersion: '1' },
            outputs: [tensorOf('y0', Uint8Array.of(at))],
          });
        reply.end();
      },
    };
    const bench = new EnsembleBench(STREAM, ENDS, { model, maxInflight: 1 });

    const { reply } = bench.ask([I]);

    expect([reply.responses.length, reply.outcome]).toEqual([20_000, 'ok']);
  });
});

describe('a flow', () => {
  it('that fails ends the request, and everything of it that is under way', () => {
    const bench = new EnsembleBench(STREAM, ENDS, { maxInflight: 2 });

    const { reply } = bench.ask([I]);
    const stream = bench.step('d');
    for (let value = 1; value <= 4; value++) stream.tell(some(value));
    const [first, second] = under(bench, 'm');
    first!.answer(some(10));
    second!.end(broken);
    stream.tell(some(5));

    expect(answers(reply)).toEqual([10]);
    expect(reply.ends.map((error) => error?.message)).toEqual(["in ensemble 'e', no"]);
    expect(bench.running).toEqual([]);
    expect(given(bench.asked.slice(1))).toEqual([1, 2, 3]);
    expect([bench.wheel.size, bench.clock.timerCount]).toEqual([0, 0]);
  });

  it('is left out where its step may fail, and the request fails when all are', () => {
    const steps = [STREAM[0]!, { ...STREAM[1]!, continues: true }];
    const run = (...failing: readonly number[]): RecordedReply => {
      const bench = new EnsembleBench(steps, ENDS);
      const { reply } = bench.ask([I]);
      for (const value of [1, 2]) bench.step('d').tell(some(value));
      bench.step('d').end();
      for (const step of under(bench, 'm'))
        if (failing.includes(given([step])[0]!)) step.end(broken);
        else step.answer(some(given([step])[0]! * 10));
      return reply;
    };

    const [one, all] = [run(1), run(1, 2)];

    expect([one.outcome, answers(one)]).toEqual(['ok', [20]]);
    expect(all.ends.map((error) => error?.message)).toEqual(["in ensemble 'e', no"]);
  });

  it('is given up with the call, and no further step begins', () => {
    const bench = new EnsembleBench(STREAM, ENDS, { maxInflight: 1 });

    const { reply, call } = bench.ask([I]);
    for (const value of [1, 2]) bench.step('d').tell(some(value));
    call.cancel();

    expect(reply.ends.map((error) => error?.code)).toEqual(['CANCELLED']);
    expect([bench.running, given(bench.asked.slice(1))]).toEqual([[], [1]]);
  });
});

describe('a decoupled step that fails', () => {
  const fail = (continues: boolean, { before }: { before: readonly number[] }) => {
    const bench = new EnsembleBench([{ ...STREAM[0]!, continues }, STREAM[1]!], ENDS);
    const { reply } = bench.ask([I]);
    const stream = bench.step('d');
    for (const value of before) stream.tell(some(value));
    stream.end(broken);
    for (const step of under(bench, 'm')) step.answer(some(given([step])[0]! * 10));
    return [reply.ends.map((error) => error?.message), answers(reply)];
  };
  const FAILED = ["in ensemble 'e', no"];

  it('ends the request when what it has answered before has left', () => {
    expect(fail(false, { before: [1, 2] })).toEqual([FAILED, [10, 20]]);
    expect(fail(false, { before: [] })).toEqual([FAILED, []]);
  });

  it('is, where it may fail, one that has ended; without an answer its outputs are absent', () => {
    expect(fail(true, { before: [1] })).toEqual([[undefined], [10]]);
    expect(fail(true, { before: [] })).toEqual([FAILED, []]);
  });

  it('lets the steps behind it do without where they can', () => {
    const bench = new EnsembleBench(
      [
        { ...STREAM[0]!, continues: true },
        { model: 'm', reads: ['I', 'each?'], writes: ['O'] },
      ],
      ENDS,
    );

    const { reply } = bench.ask([I]);
    bench.step('d').end(broken);
    bench.step('m').answer(some(7));

    expect([reply.outcome, answers(reply)]).toEqual(['ok', [7]]);
  });
});
