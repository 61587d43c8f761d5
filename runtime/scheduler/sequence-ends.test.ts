import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { SequenceBench, sumOf, type Asked } from '../testing/sequence-bench.js';

const NOTHING = [0, 0, 0, 0];
const textOf = ({ reply }: Asked): string | undefined => reply.ends[0]?.message;

describe('a sequence ends', () => {
  it('when it has been idle for too long', async () => {
    const bench = new SequenceBench({ idleUs: 300_000 });
    bench.start(7);
    await bench.run();

    bench.clock.advance(299);
    expect(bench.scheduler.sequences).toBe(1);
    bench.clock.advance(2);

    expect(bench.leftovers).toEqual(NOTHING);
    expect(textOf(bench.ask(7))).toBe(
      "inference request for sequence 7 to model 'm' must specify the START flag on the first request of the sequence",
    );
  });

  it('not while one of its requests waits or runs', async () => {
    const bench = new SequenceBench({ idleUs: 1000, maxBatchSize: 1 });
    bench.start(1);
    bench.clock.runDeferred();

    bench.clock.advance(500);
    await bench.run();
    const next = bench.ask(1);
    await bench.run();

    expect(sumOf(next)).toBe(2);
  });

  it('with the requests that wait behind one that is cancelled', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1 });
    const steps = [bench.start(1), bench.ask(1), bench.ask(1)];
    bench.clock.runDeferred();

    steps[1]!.call.cancel();
    const next = bench.start(2);
    await bench.run();

    expect(steps.map(sumOf)).toEqual([1, 'CANCELLED', 'CANCELLED']);
    expect(sumOf(next)).toBe(1);
    expect(bench.scheduler.sequences).toBe(1);
  });

  it('when its running request is cancelled, and its slot is free once that has ended', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1 });
    const { call, reply } = bench.start(1);
    bench.clock.runDeferred();

    call.cancel();
    const next = bench.start(2, { sequenceEnd: true });
    bench.clock.runDeferred();
    expect(reply.outcome).toBe('CANCELLED');
    expect(bench.runner.startedRows).toEqual([1]);
    await bench.run();

    expect(sumOf(next)).toBe(1);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('when the deadline of a waiting request passes', async () => {
    const bench = new SequenceBench();
    bench.start(1);
    bench.clock.runDeferred();
    const late = bench.ask(1, {}, bench.clock.now() + 5);
    const behind = bench.ask(1);

    bench.clock.advance(7);
    await bench.run();

    expect([late, behind].map(sumOf)).toEqual(['DEADLINE_EXCEEDED', 'CANCELLED']);
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('when a request of it comes that is too late or cancelled already', async () => {
    const bench = new SequenceBench();
    bench.start(1);
    await bench.run();

    const late = bench.ask(1, {}, bench.clock.now());

    expect(sumOf(late)).toBe('DEADLINE_EXCEEDED');
    expect(bench.leftovers).toEqual(NOTHING);
  });

  it('in the backlog, when the timeout of one of its requests has passed', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1 });
    bench.start(1);
    const steps = [bench.start(2), bench.ask(2, { timeoutMs: 5 })];
    await bench.run();

    bench.clock.advance(7);

    expect(steps.map(sumOf)).toEqual(['QUEUE_TIMEOUT', 'QUEUE_TIMEOUT']);
    expect(textOf(steps[0]!)).toBe('timeout of the corresponding sequence has been expired');
    expect(bench.scheduler.sequences).toBe(1);
  });

  it('not when it gets its slot at the moment at which its time to wait for one is over', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1, idleUs: 10_000 });
    bench.start(1);
    bench.clock.runDeferred();
    const first = bench.start(2, { value: 5, timeoutMs: 10 });
    await bench.run();

    bench.clock.advance(12);
    await bench.run();
    const second = bench.ask(2, { value: 6 });
    await bench.run();

    expect([first, second].map(sumOf)).toEqual([5, 11]);
  });

  it('only in the backlog by a timeout', async () => {
    const bench = new SequenceBench();
    bench.start(1);
    bench.clock.runDeferred();
    const second = bench.ask(1, { timeoutMs: 5 });

    bench.clock.advance(50);
    await bench.run();

    expect(sumOf(second)).toBe(2);
  });

  it('when the scheduler is closed; what runs finishes', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1 });
    const steps = [bench.start(1), bench.ask(1), bench.start(2)];
    bench.clock.runDeferred();

    bench.scheduler.close(new RuntimeError('BACKEND_LOST', 'gone'));
    steps.push(bench.start(3));
    await bench.run();

    expect(steps.map(sumOf)).toEqual([1, 'BACKEND_LOST', 'BACKEND_LOST', 'BACKEND_LOST']);
    expect(bench.leftovers).toEqual(NOTHING);
  });
});

describe('many sequences', () => {
  it('end with the right states and leave nothing: ten thousand of twenty steps', async () => {
    const strategy = 'oldest { max_candidate_sequences: 4000 }';
    const bench = new SequenceBench({ strategy, maxBatchSize: 256, instances: 2 });
    const sequences = Array.from({ length: 10_000 }, (_, index) => index + 1);
    const last = new Map<number, Asked>();

    for (let step = 0; step < 20; step++)
      for (const id of sequences)
        last.set(
          id,
          bench.ask(id, { value: id, sequenceStart: step === 0, sequenceEnd: step === 19 }),
        );
    await bench.run();

    expect(sequences.filter((id) => sumOf(last.get(id)!) !== id * 20)).toEqual([]);
    expect(bench.statistics.inferenceCount).toBe(200_000);
    expect(bench.leftovers).toEqual(NOTHING);
  }, 120_000);
});
