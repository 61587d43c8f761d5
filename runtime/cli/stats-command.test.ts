import type { ModelStatistics } from 'inferd-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand, settled } from '../testing/fake-subcommand-io.js';
import { statsCommand } from './stats-command.js';

/** Statistics of so many requests of two rows, four rows a batch, with times of so many milliseconds each. */
function aModel(name: string, requests: number, ms = 1): ModelStatistics {
  const durations = (ns: number): { count: number; ns: number } => ({
    count: requests,
    ns: requests * ns,
  });
  const none = { count: 0, ns: 0 };
  return {
    name,
    version: '1',
    lastInference: requests === 0 ? 0 : Date.UTC(2026, 0, 2),
    inferenceCount: requests * 2,
    executionCount: requests / 2,
    inferenceStats: {
      success: durations(ms * 10e6),
      fail: { count: 1, ns: 5 },
      queue: durations(ms * 3e6),
      computeInput: durations(ms * 1e6),
      computeInfer: durations(ms * 4e6),
      computeOutput: durations(ms * 1e6),
      cacheHit: none,
      cacheMiss: none,
    },
    batchStats: [
      {
        batchSize: 4,
        computeInput: none,
        computeInfer: { count: requests / 2, ns: (requests / 2) * 4e6 },
        computeOutput: none,
      },
    ],
  };
}

let io: FakeSubcommandIo;
let answers: ModelStatistics[][];
let asked: unknown[];

beforeEach(() => {
  io = new FakeSubcommandIo();
  asked = [];
});

function stats(...argv: string[]): Promise<void> {
  const modelStatistics = (...call: unknown[]): Promise<ModelStatistics[]> => {
    asked.push(call);
    return Promise.resolve(answers.length > 1 ? answers.shift()! : answers[0]!);
  };
  return runCommand(
    statsCommand(io, () => ({ modelStatistics, close: () => undefined })),
    ...argv,
  );
}

async function secondsPass(seconds: number): Promise<void> {
  await settled();
  io.clock.advance(seconds * 1000);
  await settled();
}

describe('inferd stats', () => {
  it('counts, with means per request', async () => {
    answers = [[aModel('m', 10), aModel('idle', 0)]];

    await stats();

    expect(io.shown).toMatchInlineSnapshot(`
      "┌───────┬─────────┬──────────┬────────┬──────┬─────────┬────────────┬─────────┬─────────┬─────────┐
      │ Model │ Version │ Requests │ Failed │ Rows │ Batches │ Rows/batch │   Queue │ Compute │   Total │
      ├───────┼─────────┼──────────┼────────┼──────┼─────────┼────────────┼─────────┼─────────┼─────────┤
      │ m     │ 1       │       10 │      1 │   20 │       5 │       4.00 │ 3.00 ms │ 6.00 ms │ 10.0 ms │
      ├───────┼─────────┼──────────┼────────┼──────┼─────────┼────────────┼─────────┼─────────┼─────────┤
      │ idle  │ 1       │        0 │      1 │    0 │       0 │          – │       – │       – │       – │
      └───────┴─────────┴──────────┴────────┴──────┴─────────┴────────────┴─────────┴─────────┴─────────┘
      "
    `);
  });

  it('shows the batches of a model that is named', async () => {
    answers = [[aModel('m', 10)]];

    await stats('m', '1');

    expect(asked).toEqual([['m', { version: '1' }]]);
    expect(io.shown).toContain('│ m     │ 1       │               4 │       5 │ 4.00 ms │');
  });

  it('says that nothing is ready', async () => {
    answers = [[]];

    await stats();

    expect(io.shown).toBe('No model is ready.\n');
  });

  it('has all of it for programs', async () => {
    answers = [[aModel('m', 10), aModel('idle', 0)]];

    await stats('--json');

    const { models } = JSON.parse(io.shown) as { models: unknown[] };
    expect(models[0]).toEqual({
      name: 'm',
      version: '1',
      requests: 10,
      failures: 1,
      rows: 20,
      batches: 5,
      rowsPerBatch: 4,
      lastRequest: '2026-01-02T00:00:00.000Z',
      meanUs: { queue: 3000, input: 1000, compute: 4000, output: 1000, total: 10000 },
      batchSizes: [{ rows: 4, batches: 5, computeUs: 4000 }],
    });
    expect(models[1]).toMatchObject({ lastRequest: null, rowsPerBatch: null });
  });
});

describe('inferd stats --watch', () => {
  it('shows what came since the last look, until Ctrl-C', async () => {
    answers = [[aModel('m', 10)], [aModel('m', 30)], [aModel('m', 30)]];
    const watched = stats('--watch', '4', '--json');
    await secondsPass(4);
    await secondsPass(4);
    io.interrupt();
    await watched;

    const lines = io.shown.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0]!)).toEqual({
      seconds: 4,
      models: [
        {
          name: 'm',
          version: '1',
          requestsPerSecond: 5,
          failuresPerSecond: 0,
          rowsPerSecond: 10,
          rowsPerBatch: 4,
          meanUs: { queue: 3000, input: 1000, compute: 4000, output: 1000, total: 10000 },
        },
      ],
    });
    expect(JSON.parse(lines[1]!)).toMatchObject({
      models: [{ requestsPerSecond: 0, rowsPerBatch: null }],
    });
    expect(io.clock.timerCount).toBe(0);
  });

  it('begins anew with a model that was loaded again, or came', async () => {
    answers = [[aModel('m', 30)], [aModel('m', 10), aModel('n', 4)]];
    const watched = stats('--watch');
    await secondsPass(2);
    io.interrupt();
    await watched;

    expect(io.shown).toMatch(/│ m +│ 1 +│ +5\.00 │/);
    expect(io.shown).toMatch(/│ n +│ 1 +│ +2\.00 │/);
  });

  it('clears the screen of a terminal, and nothing else', async () => {
    answers = [[aModel('m', 10)]];
    io.isTerminal.output = true;
    const watched = stats('--watch');
    await secondsPass(2);
    io.interrupt();
    await watched;

    expect(io.shown).toMatch(/^the first rates come in 2 s; Ctrl-C ends it\n\x1b\[2J\x1b\[H┌/);
  });

  it.each(['soon', '0', 'Infinity'])('takes seconds, not %j', async (text) => {
    answers = [[]];

    await expect(stats(`--watch=${text}`)).rejects.toThrow('--watch takes a number of seconds');
  });
});
