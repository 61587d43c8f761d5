import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { RecordedReply, aBatchedConfig, aRequest, aTensor, valuesOf } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { BatchScheduler } from './batch-scheduler.js';
import { ScriptExecution } from './script-execution.js';
import type { ScriptBatch, ScriptResult, ScriptRunner } from './script-runner.js';

type Work = (batch: ScriptBatch) => Promise<ScriptResult>;

const TIMES = { inputMs: 0, inferMs: 1, outputMs: 0 };

class FakeScript implements ScriptRunner {
  readonly sizes: number[] = [];
  readonly idle = 1;
  readonly #work: Work;

  constructor(work: Work) {
    this.#work = work;
  }

  run(batch: ScriptBatch): Promise<ScriptResult> {
    this.sizes.push(batch.entries.length);
    return this.#work(batch);
  }

  awaitIdle(): void {
    throw new Error('it is always idle');
  }

  onIdle(): void {
    // It is always idle.
  }
}

async function asked(
  work: Work,
  { values, decoupled = false }: { values: readonly number[]; decoupled?: boolean },
): Promise<{ replies: RecordedReply[]; runner: FakeScript; statistics: ModelStatistics }> {
  const clock = new FakeClock();
  const runner = new FakeScript(work);
  const statistics = new ModelStatistics();
  const config = aBatchedConfig();
  const parts = { config, version: '1', runner, clock, wheel: new TimerWheel(clock), statistics };
  const scheduler = new BatchScheduler({
    ...parts,
    execution: (failed) => new ScriptExecution({ ...parts, decoupled }, failed),
  });
  const replies = values.map((value) => {
    const reply = new RecordedReply();
    const inputs = [aTensor('INPUT0', [1, 2], [value, value])];
    scheduler.infer(aRequest({ inputs }), new Call(clock.now()), reply);
    return reply;
  });
  for (let i = 0; i < 10; i++) {
    clock.runDeferred();
    await Promise.resolve();
  }
  return { replies, runner, statistics };
}

const valueOf = ({ request }: ScriptBatch['entries'][number]): number =>
  valuesOf(request.inputs[0]!)[0]!;

const double = (value: number): ReturnType<typeof aTensor>[] => [
  aTensor('OUTPUT0', [1, 2], [value * 2, value * 2]),
];

describe('a batch of a model in TypeScript', () => {
  it('leaves no request without an end, and gives none an answer that was not made', async () => {
    const { replies } = await asked(() => Promise.resolve({ answers: [double(1)], ...TIMES }), {
      values: [1, 2],
    });

    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'INTERNAL']);
  });

  it('is given whole, and each of its requests has its own answer', async () => {
    const { replies, runner, statistics } = await asked(
      ({ entries }) =>
        Promise.resolve({ ...TIMES, answers: entries.map((entry) => double(valueOf(entry))) }),
      { values: [1, 2, 3] },
    );

    expect(runner.sizes).toEqual([3]);
    expect(replies.map(({ responses }) => valuesOf(responses[0]!.outputs[0]!)[0])).toEqual([
      2, 4, 6,
    ]);
    expect([statistics.inferenceCount, statistics.executionCount]).toEqual([3, 1]);
  });

  it('fails only the requests that its code fails', async () => {
    const error = new RuntimeError('INVALID_ARGUMENT', 'no');
    const { replies, runner } = await asked(
      ({ entries }) =>
        Promise.resolve({
          ...TIMES,
          answers: entries.map((entry) => (valueOf(entry) === 2 ? error : double(1))),
        }),
      { values: [1, 2, 3] },
    );

    expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', 'INVALID_ARGUMENT', 'ok']);
    expect(runner.sizes).toEqual([3]);
  });

  it.each(['BACKEND_FAILED', 'INVALID_ARGUMENT'] as const)(
    'is asked again one by one when its code throws %s',
    async (code) => {
      const { replies, runner } = await asked(
        ({ entries }) =>
          entries.some((entry) => valueOf(entry) === 2)
            ? Promise.reject(new RuntimeError(code, 'no'))
            : Promise.resolve({ ...TIMES, answers: entries.map(() => double(1)) }),
        { values: [1, 2, 3] },
      );

      expect(replies.map(({ outcome }) => outcome)).toEqual(['ok', code, 'ok']);
      expect(runner.sizes).toEqual([3, 1, 1, 1]);
    },
  );

  it('is lost with its thread, and not tried again', async () => {
    const { replies, runner } = await asked(
      () => Promise.reject(new RuntimeError('BACKEND_LOST', 'gone')),
      { values: [1, 2] },
    );

    expect(replies.map(({ outcome }) => outcome)).toEqual(['BACKEND_LOST', 'BACKEND_LOST']);
    expect(runner.sizes).toEqual([2]);
  });

  it('of a decoupled model is answered as often as its code likes', async () => {
    const { replies } = await asked(
      (batch) => {
        batch.streamed(double(1));
        batch.streamed(double(2));
        return Promise.resolve({ ...TIMES, answers: [] });
      },
      { values: [1], decoupled: true },
    );

    expect(replies[0]!.responses).toHaveLength(2);
    expect(replies[0]!.ends).toEqual([undefined]);
  });
});
