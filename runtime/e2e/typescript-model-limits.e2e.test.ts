// Models in TypeScript that share a resource (--rate-limit=execution_count), among themselves and with those that they ask, over real
// sockets and threads.

import { describe, expect, it } from 'vitest';
import { fp32, inferRequest, rawOutput } from './harness/requests.js';
import { scriptFile } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { TestClient } from './harness/test-client.js';

const NEEDS_R =
  'instance_group [ { count: 1 rate_limiter { resources [ { name: "R" count: 1 } ] } } ]';
const FROM_TO = `
  input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
  output [ { name: "at" data_type: TYPE_FP64 dims: [ 2 ] } ]`;

/** Their code says from when to when it ran, in nanoseconds of the process; `waits` is what it does meanwhile. */
function timed(name: string, waits: string, repository: TemporaryRepository): void {
  scriptFile(repository, name, {
    code: `
      import { hrtime } from 'node:process';
      import { setTimeout } from 'node:timers/promises';
      import { defineModel, tensor } from 'inferd';
      const now = () => Number(hrtime.bigint());
      export default defineModel({
        async execute([request], context) {
          let from = now();
          ${waits}
          return [{ outputs: { at: tensor('FP64', [1, 2], [from, now()]) } }];
        },
      });`,
    config: `max_batch_size: 1 ${NEEDS_R} ${FROM_TO}`,
  });
}

function modelsOf(): TemporaryRepository {
  const repository = new TemporaryRepository();
  timed('one', 'await setTimeout(5);', repository);
  timed('other', 'await setTimeout(5);', repository);
  timed(
    'asks',
    `await setTimeout(2);
     const inputs = { x: request.input('x', 'FP32') };
     await Promise.all(['one', 'other'].map((model) => context.infer({ model, inputs })));
     from = now();
     await setTimeout(2);`,
    repository,
  );
  return repository;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Asks each so many times at once. */
async function ran(client: TestClient, models: readonly string[], times: number): Promise<Span[]> {
  const asked = models.flatMap((name) => Array<string>(times).fill(name));
  const answers = asked.map(async (name) => {
    const answer = await client.infer(inferRequest(name, [fp32('x', [1, 1], [1])]));
    const at = rawOutput(answer, 'at');
    return { from: at.readDoubleLE(0), to: at.readDoubleLE(8) };
  });
  return (await Promise.all(answers)).sort((a, b) => a.from - b.from);
}

function overlapping(spans: readonly Span[]): readonly Span[] {
  return spans.filter(({ from }, at) => at > 0 && from < spans[at - 1]!.to);
}

describe('models in TypeScript that need the same resource', () => {
  const here = serving(modelsOf(), ['--rate-limit=execution_count', '--rate-limit-resource=R:1']);

  it('never run at once', async () => {
    const spans = await ran(here.client, ['one', 'other'], 20);

    expect(spans).toHaveLength(40);
    expect(overlapping(spans)).toEqual([]);
  });

  it('may ask each other: who waits holds nothing, and goes on when it is free', async () => {
    const spans = await ran(here.client, ['asks', 'one', 'other'], 20);

    expect(spans).toHaveLength(60);
    expect(overlapping(spans)).toEqual([]);
  });
});

describe('models in TypeScript where nobody looks at resources', () => {
  const here = serving(modelsOf());

  it('run at once', async () => {
    expect(overlapping(await ran(here.client, ['one', 'other'], 20))).not.toEqual([]);
  });
});
