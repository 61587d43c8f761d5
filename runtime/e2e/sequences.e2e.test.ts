// Sequences over real sockets and threads: many at once, each with its own state.

import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { InferdClient } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { untilPending } from './harness/metrics.js';
import { inferRequest, rawOutput } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { GOLDEN_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const repository = new TemporaryRepository();
for (const model of ['state_direct', 'state_oldest', 'state_file'])
  repository.copy(join(GOLDEN_MODELS, 'repo_sequence', model), model);

describe('sequences', () => {
  const here = serving(repository);

  const step = (
    model: string,
    id: number | string,
    more: Message & { value?: number } = {},
  ): Promise<Message> => {
    const { value = 1, ...flags } = more;
    const raw = Buffer.from(Int32Array.of(value).buffer);
    const sequence = typeof id === 'string' ? { string_param: id } : { int64_param: id };
    const parameters = Object.fromEntries(
      Object.keys(flags).map((flag) => [`sequence_${flag}`, { bool_param: true }]),
    );
    return here.client.infer(
      inferRequest(model, [{ name: 'INPUT0', datatype: 'INT32', shape: [1, 1], raw }], {
        parameters: { sequence_id: sequence, ...parameters },
      }),
    );
  };
  const sumOf = async (answer: Promise<Message>): Promise<number> =>
    rawOutput(await answer, 'OUTPUT0').readInt32LE();

  it.each(['state_direct', 'state_oldest'])(
    'many at once, more than there are slots, keep their states apart: %s',
    async (model) => {
      const run = async (id: number): Promise<number[]> => {
        const sums = [await sumOf(step(model, id, { value: id, start: true }))];
        for (let n = 0; n < 8; n++) sums.push(await sumOf(step(model, id, { value: id })));
        sums.push(await sumOf(step(model, id, { value: id, end: true })));
        return sums;
      };

      const all = await Promise.all(Array.from({ length: 100 }, (_, index) => run(index + 1)));

      all.forEach((sums, index) =>
        expect(sums).toEqual(Array.from({ length: 10 }, (_, n) => (index + 1) * (n + 1))),
      );
    },
  );

  it('may wait on a stream for others whose ends are still to come, behind many answers', async () => {
    const [steps, ids] = [4000, [11, 12, 13]];
    const client = new InferdClient({ addresses: [`127.0.0.1:${here.server.ports.grpc!}`] });
    const stream = await client.stream();
    const sums = new Map<string, number[]>(ids.map((id) => [String(id), []]));
    const answered = (async (): Promise<void> => {
      for await (const { id, result } of stream)
        sums.get(id)!.push(Number(result?.outputs['OUTPUT0']?.data[0]));
    })();

    for (let n = 1; n <= steps; n++) {
      for (const id of ids)
        await stream.send(
          'state_direct',
          { INPUT0: { datatype: 'INT32', shape: [1, 1], data: Int32Array.of(id) } },
          {
            id: String(id),
            parameters: { sequence_id: id, sequence_start: n === 1, sequence_end: n === steps },
          },
        );
      // All are computed but those of the last sequence, which has no slot.
      if (n % 1000 === 0 && n < steps) await untilPending(here.server, 'state_direct', n);
    }
    stream.end();
    await answered;
    client.close();

    for (const id of ids)
      expect(sums.get(String(id))).toEqual(Array.from({ length: steps }, (_, n) => id * (n + 1)));
  });

  it('begin with the state that a file holds', async () => {
    expect(await sumOf(step('state_file', 'a', { value: 5, start: true, end: true }))).toBe(105);
  });

  it('have ids of at most 128 bytes', async () => {
    await expect(step('state_file', 'é'.repeat(65), { start: true })).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: 'string correlation ID cannot be longer than 128 characters',
    });
  });
});
