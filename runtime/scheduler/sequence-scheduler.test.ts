import { describe, expect, it } from 'vitest';
import type { Servable } from '../core/servable.js';
import { SequenceBench, sumOf, type Asked } from '../testing/sequence-bench.js';
import { servableConformance } from '../testing/servable-conformance.js';

servableConformance('SequenceScheduler', () => {
  const bench = new SequenceBench({ maxBatchSize: 4 });
  const servable: Servable = {
    infer: (request, call, reply) => {
      const parameters = { ...request.parameters, sequenceId: 1, sequenceStart: true };
      bench.scheduler.infer(
        { ...request, parameters: { ...parameters, sequenceEnd: true } },
        call,
        reply,
      );
    },
  };
  return {
    servable,
    clock: bench.clock,
    finish: () => bench.run(),
    breakDown: async () => {
      bench.clock.runDeferred();
      await bench.runner.fail();
    },
  };
});

describe('SequenceScheduler', () => {
  it('hands the state of each step to the next', async () => {
    const bench = new SequenceBench();

    const steps = [bench.start(1, { value: 1 }), bench.ask(1, { value: 2 })];
    steps.push(bench.ask(1, { value: 3, sequenceEnd: true }));
    await bench.run();

    expect(steps.map(sumOf)).toEqual([1, 3, 6]);
    expect(bench.leftovers).toEqual([0, 0, 0, 0]);
  });

  it('keeps sequences apart, each in its row', async () => {
    const bench = new SequenceBench();

    const first = [bench.start(1, { value: 10 }), bench.start(2, { value: 20 })];
    const second = [bench.ask(1, { value: 1 }), bench.ask(2, { value: 2 })];
    await bench.run();

    expect([...first, ...second].map(sumOf)).toEqual([10, 20, 11, 22]);
    expect(bench.batch(0)).toEqual({
      ...{ INPUT0: [10, 20], START: [1, 1], END: [0, 0], READY: [1, 1], CORRID: [1, 2] },
      STATE_IN: [0, 0],
    });
    expect(bench.batch(1)).toMatchObject({ START: [0, 0], STATE_IN: [10, 20] });
  });

  it('leaves the row of a slot empty whose next request is not here', async () => {
    const bench = new SequenceBench();

    bench.start(1);
    bench.start(2);
    await bench.run();
    const second = bench.ask(2, { value: 7, sequenceEnd: true });
    await bench.run();

    expect(sumOf(second)).toBe(8);
    expect(bench.batch(1)).toEqual({
      ...{ INPUT0: [0, 7], START: [0, 0], END: [0, 1], READY: [0, 1], CORRID: [0, 2] },
      STATE_IN: [0, 1],
    });
    expect(bench.statistics.inferenceCount).toBe(3);
    expect(bench.statistics.batches.get(2)?.infer.count).toBe(2);
  });

  it('lets a step of another shape wait for the next batch', async () => {
    const bench = new SequenceBench();

    const steps = [bench.start(1, { width: 1 }), bench.start(2, { width: 3, value: 5 })];
    await bench.run();

    expect(steps.map(sumOf)).toEqual([1, 5]);
    expect(bench.batch(0)).toMatchObject({ READY: [1] });
    expect(bench.batch(1)).toMatchObject({ READY: [0, 1], INPUT0: [0, 0, 0, 5, 5, 5] });
  });

  it('gives each slot that is freed to the sequence that has waited for longest', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1 });

    const order = [
      bench.start(1, { sequenceEnd: true }),
      bench.start(2, { value: 2 }),
      bench.start(3, { value: 3, sequenceEnd: true }),
    ];
    order.push(bench.ask(2, { value: 2, sequenceEnd: true }));
    await bench.run();

    expect(order.map(sumOf)).toEqual([1, 2, 3, 4]);
    expect(bench.runner.started.map((_, index) => bench.batch(index)['CORRID'])).toEqual([
      ...[[1], [2], [2], [3]],
    ]);
  });

  it('starts anew, and says so, when a sequence starts that has not ended', async () => {
    const bench = new SequenceBench();

    const steps = [bench.start(5, { value: 4 }), bench.ask(5), bench.start(5, { value: 6 })];
    await bench.run();

    expect(steps.map(sumOf)).toEqual([4, 5, 6]);
    expect(bench.warnings).toEqual([
      "sequence 5 for model 'm' has a conflict. The previous sequence did not end before this sequence start. Previous " +
        'sequence will be terminated early.',
    ]);
  });

  it('uses as many groups of slots as there are instances, the lowest slots first', () => {
    const bench = new SequenceBench({ instances: 2 });

    bench.start(1);
    bench.start(2);
    bench.start(3);
    bench.clock.runDeferred();

    expect(bench.runner.startedRows).toEqual([2, 1]);
    expect(bench.batch(0)['CORRID']).toEqual([1, 3]);
  });

  it('has at most one batch of a group under way', async () => {
    const bench = new SequenceBench({ instances: 2 });
    bench.start(1);
    bench.clock.runDeferred();
    const next = bench.ask(1);
    bench.clock.runDeferred();

    expect(bench.runner.startedRows).toEqual([1]);
    await bench.run();
    expect(sumOf(next)).toBe(2);
  });

  it('waits for other slots only with a delay and a share that is worth it', async () => {
    const bench = new SequenceBench({
      ...{ maxBatchSize: 4 },
      strategy: 'direct { max_queue_delay_microseconds: 5000 minimum_slot_utilization: 0.5 }',
    });

    bench.start(1);
    bench.clock.advance(4);
    expect(bench.runner.startedRows).toEqual([]);
    bench.clock.advance(1);
    await bench.run();
    bench.ask(1);
    bench.start(2);
    bench.clock.runDeferred();

    expect(bench.runner.startedRows).toEqual([1, 2]);
  });

  it('tries each step of a failed batch once more by itself, on the state it had', async () => {
    const bench = new SequenceBench();
    const steps = [bench.start(1, { value: 3 }), bench.start(2, { value: 4 })];
    bench.clock.runDeferred();

    await bench.runner.fail();
    bench.clock.runDeferred();
    await bench.runner.fail();
    await bench.run();

    expect(steps.map(sumOf)).toEqual(['BACKEND_FAILED', 4]);
    expect(bench.batch(2)).toMatchObject({ READY: [0, 1], START: [0, 1] });
  });

  it('keeps a sequence of which a step is lost with its thread: on the state before it, the step may come again', async () => {
    const bench = new SequenceBench();
    bench.start(1, { value: 3 });
    await bench.run();
    const steps = [bench.ask(1, { value: 4 })];
    bench.clock.runDeferred();

    await bench.runner.fail('BACKEND_LOST');
    steps.push(bench.ask(1, { value: 4, sequenceEnd: true }));
    await bench.run();

    expect(steps.map(sumOf)).toEqual(['BACKEND_LOST', 7]);
    expect(bench.leftovers).toEqual([0, 0, 0, 0]);
  });

  it('forgets the state of what went before a START, also where that step fails', async () => {
    const bench = new SequenceBench();
    bench.start(1, { value: 3 });
    await bench.run();
    bench.start(1, { value: 4 });
    const next = bench.ask(1, { value: 5 });
    bench.clock.runDeferred();

    await bench.runner.fail();
    await bench.run();

    expect(sumOf(next)).toBe(5);
  });

  it('takes the next step from whoever is just being answered', async () => {
    const bench = new SequenceBench();
    const first = bench.start(1, { value: 3 });
    let next: Asked | undefined;
    const end = first.reply.end.bind(first.reply);
    first.reply.end = (error) => {
      end(error);
      next = bench.ask(1, { value: 4, sequenceEnd: true });
    };

    await bench.run();

    expect(sumOf(next!)).toBe(7);
    expect(bench.leftovers).toEqual([0, 0, 0, 0]);
  });

  it('resizes: sequences keep their slots, new ones come where instances are left', async () => {
    const bench = new SequenceBench({ maxBatchSize: 1, instances: 2 });
    bench.start(1);
    bench.start(2);
    await bench.run();

    bench.scheduler.resize(1);
    const waiting = bench.start(3);
    const kept = bench.ask(2, { sequenceEnd: true });
    await bench.run();
    expect([sumOf(kept), sumOf(waiting)]).toEqual([2, 'pending']);

    bench.scheduler.resize(2);
    await bench.run();
    expect(sumOf(waiting)).toBe(1);
  });
});

describe('SequenceScheduler with the strategy oldest', () => {
  const oldest = (candidates: number, more = ''): string =>
    `oldest { max_candidate_sequences: ${candidates} preferred_batch_size: [ 4 ] ${more} }`;

  it('batches one step of each sequence, without empty rows', async () => {
    const bench = new SequenceBench({ strategy: oldest(4), maxBatchSize: 4 });

    const steps = [1, 2, 3].flatMap((id) => [bench.start(id, { value: id }), bench.ask(id)]);
    await bench.run();

    expect(bench.runner.startedRows).toEqual([3, 3]);
    expect(steps.map(sumOf)).toEqual([1, 2, 2, 3, 3, 4]);
    expect(bench.batch(1)).toMatchObject({ READY: [1, 1, 1], CORRID: [1, 2, 3] });
  });

  it('serves no more sequences at once than there may be candidates', async () => {
    const bench = new SequenceBench({ strategy: oldest(2), maxBatchSize: 4 });

    const third = [1, 2, 3].map((id) => bench.start(id))[2]!;
    await bench.run();
    expect(sumOf(third)).toBe('pending');

    bench.ask(1, { sequenceEnd: true });
    await bench.run();
    expect(sumOf(third)).toBe(1);
  });

  it('waits for a preferred size as long as the delay lets it', () => {
    const strategy = oldest(4, 'max_queue_delay_microseconds: 3000');
    const bench = new SequenceBench({ strategy, maxBatchSize: 4 });

    [1, 2, 3].forEach((id) => bench.start(id));
    bench.clock.advance(2);
    expect(bench.runner.startedRows).toEqual([]);
    bench.start(4);
    bench.clock.runDeferred();

    expect(bench.runner.startedRows).toEqual([4]);
  });

  const ordered = oldest(4, 'preserve_ordering: true');
  const answersOf = (asked: readonly Asked[]): string[] => {
    const order: string[] = [];
    asked.forEach(({ reply }, index) => {
      const end = reply.end.bind(reply);
      reply.end = (error) => {
        order.push(`${index}${error ? ' failed' : ''}`);
        end(error);
      };
    });
    return order;
  };

  it('answers in the order in which steps were started, where that is wanted', async () => {
    const bench = new SequenceBench({ strategy: ordered, maxBatchSize: 1, instances: 2 });
    const order = answersOf([bench.start(1), bench.start(2)]);
    bench.clock.runDeferred();

    await bench.runner.releaseLast();
    expect(order).toEqual([]);
    await bench.run();

    expect(order).toEqual(['0', '1']);
  });

  it('holds no answer for a step that has failed, was cancelled or waits for a slot', async () => {
    const strategy = 'oldest { max_candidate_sequences: 2 preserve_ordering: true }';
    const bench = new SequenceBench({ strategy, maxBatchSize: 1, instances: 2 });
    const asked = [1, 2, 3, 4, 5, 6].map((id) => bench.start(id));
    const order = answersOf(asked);
    bench.clock.runDeferred();
    asked[0]!.call.cancel();

    await bench.runner.releaseLast();
    await bench.runner.release();
    await bench.run();

    expect(order).toEqual(['0 failed', '1', '2', '3', '4']);
    expect(sumOf(asked[5]!)).toBe('pending');
  });

  it('does not call a sequence idle whose answer is held', async () => {
    const strategy = ordered;
    const bench = new SequenceBench({ strategy, maxBatchSize: 1, instances: 2, idleUs: 10_000 });
    bench.start(1);
    const held = bench.start(2);
    bench.clock.runDeferred();
    await bench.runner.releaseLast();

    bench.clock.advance(50);
    expect(sumOf(held)).toBe('pending');
    await bench.run();
    const next = bench.ask(2);
    await bench.run();
    bench.clock.advance(12);

    expect([held, next].map(sumOf)).toEqual([1, 2]);
    expect(bench.leftovers).toEqual([0, 0, 0, 0]);
  });

  it('goes on after a step that is cancelled when it has been computed and only its answer is held', async () => {
    const bench = new SequenceBench({ strategy: ordered, maxBatchSize: 2 });
    bench.start(1);
    bench.start(2);
    const held = bench.start(3);
    bench.clock.runDeferred();

    await bench.runner.fail();
    await bench.runner.release();
    expect(bench.batch(1)).toMatchObject({ CORRID: [3] });
    held.call.cancel();
    const next = bench.ask(3);
    expect([held, next].map(sumOf)).toEqual(['pending', 'pending']);
    await bench.run();

    expect([held, next].map(sumOf)).toEqual([1, 2]);
  });

  it('keeps the place of a step that is tried once more', async () => {
    const bench = new SequenceBench({ strategy: ordered, maxBatchSize: 4, instances: 2 });
    const asked = [bench.start(1), bench.start(2)];
    bench.clock.runDeferred();
    asked.push(bench.start(3));
    const order = answersOf(asked);
    bench.clock.runDeferred();

    await bench.runner.fail();
    await bench.runner.release();
    expect(order).toEqual([]);
    await bench.run();

    expect(order).toEqual(['0', '1', '2']);
    expect(bench.leftovers.slice(1, 2)).toEqual([0]);
  });
});
