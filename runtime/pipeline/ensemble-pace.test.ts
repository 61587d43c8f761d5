import { describe, expect, it } from 'vitest';
import { collectGarbage } from '../core/garbage.js';
import type { RecordedReply } from '../testing/build.js';
import {
  BenchReader,
  EnsembleBench,
  tensorOf,
  type AskedStep,
  type BenchStep,
} from '../testing/ensemble-bench.js';

const I = tensorOf('I', Uint8Array.of(1));
const some = (value: number): { data: Uint8Array } => ({ data: Uint8Array.of(value) });

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

describe('a decoupled step', () => {
  const NESTED: readonly BenchStep[] = [
    { model: 'd', reads: ['I'], writes: ['each'], decoupled: true },
    { model: 'm', reads: ['each'], writes: ['t'] },
    { model: 'f', reads: ['t'], writes: ['O'], decoupled: true },
  ];
  const flows = { always: 1, most: 2 };

  it('waits while as many of its answers as may be are on their way', () => {
    const bench = new EnsembleBench(STREAM, ENDS, { flows });

    bench.ask([I]);
    const stream = bench.step('d');
    stream.tell(some(1));
    expect(stream.isHeld).toBe(false);
    stream.tell(some(2));
    expect(stream.isHeld).toBe(true);
    under(bench, 'm')[1]!.answer(some(20));
    expect(stream.isHeld).toBe(true);
    under(bench, 'm')[0]!.answer(some(10));

    expect(stream.isHeld).toBe(false);
  });

  it('waits while the caller of the whole is behind, until he has read or gone', () => {
    const bench = new EnsembleBench(STREAM, ENDS, { flows });
    let isSlow = true;
    const reader = new BenchReader(() => isSlow);

    const { call } = bench.ask([I], {}, { reader });
    const stream = bench.step('d');
    stream.tell(some(1));
    bench.step('m').answer(some(10));
    expect(stream.isHeld).toBe(true);
    isSlow = false;
    reader.read();
    expect(stream.isHeld).toBe(false);
    isSlow = true;
    stream.tell(some(2));
    expect(stream.isHeld).toBe(true);
    call.cancel();

    expect(stream.isHeld).toBe(false);
  });

  it('never holds the place that an earlier flow needs', () => {
    const bench = new EnsembleBench(NESTED, ENDS, { flows, maxInflight: 2 });

    const { reply } = bench.ask([I]);
    for (const value of [1, 2, 3]) bench.step('d').tell(some(value));
    bench.step('d').end();
    under(bench, 'm')[1]!.answer(some(2));
    under(bench, 'm')[1]!.answer(some(3));
    const [second] = under(bench, 'f');
    for (const value of [21, 22]) second!.tell(some(value));
    expect([given(under(bench, 'f')), second!.isHeld]).toEqual([[2], true]);
    bench.step('m').answer(some(1));
    const first = under(bench, 'f')[1]!;
    first.tell(some(11));
    first.end();
    expect([answers(reply), second!.isHeld]).toEqual([[11, 21, 22], false]);
    second!.end();
    bench.step('f').tell(some(31));
    bench.step('f').end();

    expect([answers(reply), reply.outcome]).toEqual([[11, 21, 22, 31], 'ok']);
  });

  it('without an end leaves nothing behind of what has left', async () => {
    const kept: WeakRef<object>[] = [];
    let tell: (value: number) => void = () => undefined;
    const model = {
      infer: (...[request, , reply]: Parameters<EnsembleBench['ensemble']['infer']>) => {
        const respond = (value: number): void => {
          const output = tensorOf('y0', Uint8Array.of(value));
          kept.push(new WeakRef(output));
          reply.response({ modelName: '', modelVersion: '1', outputs: [output] });
        };
        if (request.modelName === 'd') tell = respond;
        else {
          respond(1);
          reply.end();
        }
      },
    };
    const bench = new EnsembleBench(STREAM, ENDS, { model });

    const { call, reply } = bench.ask([I]);
    for (let value = 0; value < 5_000; value++) {
      tell(value);
      reply.responses.length = 0;
    }
    // A WeakRef holds its target until the event loop has gone on.
    await new Promise(setImmediate);
    collectGarbage();

    expect(kept).toHaveLength(10_000);
    expect(kept.filter((it) => it.deref() !== undefined).length).toBeLessThan(10);
    expect([call.legs.length, reply.outcome]).toEqual([1_000, 'pending']);
  });
});
