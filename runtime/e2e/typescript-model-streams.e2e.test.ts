// Streams of a decoupled model to callers who do not read, or have gone.

import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { ONE_NUMBER, scriptFile, scriptModel } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { unreadStream } from './harness/unread-stream.js';

/** As many as no connection holds. */
const ANSWERS = 10_000_000;

describe('a stream whose caller does not read', () => {
  const repository = new TemporaryRepository();
  const decoupled = (name: string, body: string): void =>
    scriptFile(repository, name, {
      code: `
        import { once } from 'node:events';
        import { defineModel, tensor } from 'inferd';
        const y = (value: number) => ({ outputs: { y: tensor('FP32', [1, 1], [value]) } });
        export default defineModel({
          async *stream(request, { metrics, signal }) {
            const made = metrics.counter('made');
            try {
              ${body}
            } finally {
              metrics.counter('ended').add();
            }
          },
        });`,
      config: `
        max_batch_size: 8 model_transaction_policy { decoupled: true } ${ONE_NUMBER}
        parameters { key: "max_execution_ms" value { string_value: "1000" } }`,
    });
  decoupled(
    'many',
    `for (let i = 0; i < ${ANSWERS}; i++) {
       made.add();
       yield y(i);
     }`,
  );
  decoupled('waits', `yield y(1); await once(signal, 'abort');`);
  scriptModel(repository, 'plain', { body: `return requests.map(() => y(1));` });
  const here = serving(repository);
  const figure = async (metric: string, model: string): Promise<number> =>
    (await scrape(here.server)).get(`${metric}{model="${model}",version="1"}`) ?? 0;
  const open: (() => void)[] = [];
  afterEach(() => open.splice(0).forEach((close) => close()));

  function ask(model: string): ClientHttp2Stream {
    const stream = unreadStream(here.server, model);
    open.push(() => stream.destroy());
    return stream;
  }

  it('stands still, longer than an execution may last, and goes on when he reads', async () => {
    const stream = ask('many');
    let before = 0;
    await vi.waitFor(
      async () => {
        const last = before;
        before = await figure('made', 'many');
        expect(before).toBeGreaterThan(0);
        expect(before).toBe(last);
      },
      { timeout: 30_000, interval: 2_000 },
    );
    expect(before).toBeLessThan(ANSWERS / 100);

    stream.resume();
    await vi.waitFor(
      async () => expect(await figure('made', 'many')).toBeGreaterThan(2 * before),
      20_000,
    );
    stream.close();

    await vi.waitFor(async () => expect(await figure('ended', 'many')).toBe(1), 10_000);
    const plain = await here.client.infer(inferRequest('plain', [fp32('x', [1, 1], [1])]));
    expect(fp32Output(plain, 'y')).toEqual([1]);
  }, 60_000);

  it('is told by its signal that he has gone', async () => {
    const stream = ask('waits');
    await once(stream, 'data');
    stream.close();

    await vi.waitFor(async () => expect(await figure('ended', 'waits')).toBe(1), 10_000);
  });
});
