// Sequences of models in TypeScript, over real sockets and threads: what their code remembers, and what becomes of it.

import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { scrape } from './harness/metrics.js';
import { fp32, inferRequest, textOutput } from './harness/requests.js';
import { failureOf, scriptFile } from './harness/script-model.js';
import { serving, type Serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const CONTROLS = `
  control_input [ { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] } ]
  control_input [ { name: "END" control [ { kind: CONTROL_SEQUENCE_END bool_false_true: [ false, true ] } ] } ]
  control_input [ { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ] } ] } ]
  control_input [ { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] } ]`;
const TENSORS = `
  input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
  output [ { name: "told" data_type: TYPE_STRING dims: [ 1 ] } ]`;

/** Tells "thread: what came so far". 13 ends the thread, 14 throws, 15 is refused. */
const REMEMBERS = `
  import { threadId } from 'node:worker_threads';
  import { defineModel, tensor, ModelError } from 'inferd';
  export default defineModel({
    execute: (requests) => requests.map((request) => {
      const { sequence } = request;
      const x = request.input('x', 'FP32').data[0]!;
      if (x === 13) process.exit(1);
      if (x === 15) return new ModelError('not fifteen', { code: 'INVALID_ARGUMENT' });
      const so = [...(sequence!.state as number[] | undefined ?? []), x];
      sequence!.state = so;
      if (x === 14) throw new Error('fourteen');
      return { outputs: { told: tensor('BYTES', [request.rows, 1], [\`\${threadId}: \${so}\`]) } };
    }),
  });`;

type Flag = 'start' | 'end' | 'both';

function ask(
  here: Serving,
  { model = 'm', id, x, flag }: { model?: string; id: number | string; x: number; flag?: Flag },
): Promise<Message> {
  const key = typeof id === 'string' ? 'string_param' : 'int64_param';
  const parameters = {
    sequence_id: { [key]: id },
    sequence_start: { bool_param: flag === 'start' || flag === 'both' },
    sequence_end: { bool_param: flag === 'end' || flag === 'both' },
  };
  return here.client.infer(inferRequest(model, [fp32('x', [1, 1], [x])], { parameters }));
}

async function told(asked: Promise<Message>): Promise<{ thread: string; so: string }> {
  const [thread, so] = textOutput(await asked, 'told')[0]!.split(': ');
  return { thread: thread!, so: so! };
}

describe.each([
  ['direct', 'direct { }', 'max_batch_size: 2'],
  [
    'oldest',
    'oldest { max_candidate_sequences: 2 max_queue_delay_microseconds: 500 }',
    'max_batch_size: 4',
  ],
])('sequences of a model in TypeScript, %s', (_, strategy, batching) => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'm', {
    code: REMEMBERS,
    config: `${batching} ${TENSORS} instance_group [ { count: 2 } ]
      sequence_batching { ${strategy} max_sequence_idle_microseconds: 30000000 }`,
  });
  const here = serving(repository);

  it('find what they left at every step, on the instance where they began, more of them than slots', async () => {
    const ids = Array.from({ length: 24 }, (_, index) => 100 + index);

    const runs = await Promise.all(
      ids.map(async (id) => [
        await told(ask(here, { id, x: id, flag: 'start' })),
        ...(await Promise.all([2, 3, 4].map((x) => told(ask(here, { id, x }))))),
        await told(ask(here, { id, x: 5, flag: 'end' })),
      ]),
    );

    for (const [index, steps] of runs.entries()) {
      const id = ids[index]!;
      expect(steps.map(({ so }) => so)).toEqual([
        ...[`${id}`, `${id},2`, `${id},2,3`, `${id},2,3,4`, `${id},2,3,4,5`],
      ]);
      expect(new Set(steps.map(({ thread }) => thread)).size).toBe(1);
    }
    expect(new Set(runs.flat().map(({ thread }) => thread)).size).toBe(2);
  });

  it('begin with nothing, also where their id has been before', async () => {
    await ask(here, { id: 'a', x: 1, flag: 'start' });
    expect((await told(ask(here, { id: 'a', x: 2, flag: 'start' }))).so).toBe('2');
    await ask(here, { id: 'a', x: 3, flag: 'end' });

    expect((await told(ask(here, { id: 'a', x: 4, flag: 'both' }))).so).toBe('4');
  });

  it('go on after a step that has failed, which is not tried again', async () => {
    await ask(here, { id: 70, x: 1, flag: 'start' });

    expect(await failureOf(ask(here, { id: 70, x: 15 }))).toMatch(/^3: .*not fifteen/);
    expect(await failureOf(ask(here, { id: 70, x: 14 }))).toMatch(/^13: .*fourteen/);
    expect((await told(ask(here, { id: 70, x: 2, flag: 'end' }))).so).toBe('1,14,2');
  });

  it('are lost with their thread, and say so; others go on', async () => {
    const ids = [81, 82, 83, 84];
    const begun = await Promise.all(ids.map((id) => told(ask(here, { id, x: 1, flag: 'start' }))));
    const dead = begun[0]!.thread;
    const with81 = ids.filter((_, index) => begun[index]!.thread === dead);

    const shot = [failureOf(ask(here, { id: 81, x: 13 })), failureOf(ask(here, { id: 81, x: 2 }))];
    for (const text of await Promise.all(shot)) expect(text).toMatch(/^14: /);
    expect((await Promise.all(shot))[1]).toContain('begin it again, with the START flag');
    const after = await Promise.all(ids.map((id) => failureOf(ask(here, { id, x: 2 }))));

    expect(with81).toHaveLength(2);
    ids.forEach((id, index) => {
      if (with81.includes(id)) expect(after[index]).toContain('must specify the START flag');
      else expect(after[index]).toBe('answered');
    });
    for (const id of with81)
      expect((await told(ask(here, { id, x: 7, flag: 'start' }))).so).toBe('7');
    await Promise.all(ids.map((id) => ask(here, { id, x: 9, flag: 'end' })));
  });
});

describe('a model in TypeScript with controls', () => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'm', {
    code: `
      import { defineModel, tensor } from 'inferd';
      export default defineModel({
        execute: (requests) => requests.map((request) => {
          const { id, start, end } = request.sequence!;
          const inputs = [
            request.input('START', 'INT32'), request.input('END', 'BOOL'),
            request.input('READY', 'FP32'), request.input('CORRID', 'UINT64'),
          ];
          const text = inputs.map(({ shape, data }) => \`[\${shape}]\${data}\`).join(' ');
          return { outputs: { told: tensor('BYTES', [1, 1], [\`\${id} \${start} \${end}: \${text}\`]) } };
        }),
      });`,
    config: `max_batch_size: 4 ${TENSORS} sequence_batching { ${CONTROLS} }
      model_warmup [ { name: "w" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: [ 1 ] zero_data: true } } } ]`,
  });
  const here = serving(repository);

  it('gets them as inputs of each request, and as its sequence', async () => {
    const steps = [
      textOutput(await ask(here, { id: 5, x: 0, flag: 'start' }), 'told'),
      textOutput(await ask(here, { id: 5, x: 0 }), 'told'),
      textOutput(await ask(here, { id: 5, x: 0, flag: 'end' }), 'told'),
    ];

    expect(steps.flat()).toEqual([
      '5 true false: [1,1]1 [1,1]0 [1,1]1 [1,1]5',
      '5 false false: [1,1]0 [1,1]0 [1,1]1 [1,1]5',
      '5 false true: [1,1]0 [1,1]1 [1,1]1 [1,1]5',
    ]);
  });
});

describe('sequences of a model in TypeScript of which nothing more comes', () => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'm', {
    code: `
      import { defineModel, tensor } from 'inferd';
      export default defineModel({
        execute: (requests) => requests.map(({ sequence }) => {
          sequence!.state ??= 'begun';
          return { outputs: { told: tensor('BYTES', [1, 1], [String(sequence!.state)]) } };
        }),
      });`,
    config: `max_batch_size: 1 ${TENSORS} sequence_batching { max_sequence_idle_microseconds: 100000 }`,
  });
  const here = serving(repository);

  it('end, and give their slot to others', async () => {
    await ask(here, { id: 1, x: 0, flag: 'start' });
    const other = await ask(here, { id: 2, x: 0, flag: 'both' });

    expect(textOutput(other, 'told')).toEqual(['begun']);
    expect(await failureOf(ask(here, { id: 1, x: 0 }))).toMatch(
      /^3: .*must specify the START flag/,
    );
  });
});

describe('a model in TypeScript whose instances change', () => {
  const config = (count: number): string => `
    backend: "typescript" max_batch_size: 1 ${TENSORS} instance_group [ { count: ${count} } ]
    sequence_batching { max_sequence_idle_microseconds: 60000000 }`;
  const repository = new TemporaryRepository();
  scriptFile(repository, 'm', { code: REMEMBERS, config: '' });
  repository.write('m/config.pbtxt', config(2));
  const here = serving(repository, ['--model-control-mode=explicit', '--load-model=m']);

  async function change(count: number): Promise<void> {
    repository.write('m/config.pbtxt', config(count));
    await here.client.call('RepositoryModelLoad', { model_name: 'm' });
  }

  it('keeps the sequences of those that go until they end', async () => {
    const begun = await Promise.all(
      [1, 2].map((id) => told(ask(here, { id, x: id, flag: 'start' }))),
    );
    await change(1);
    const more = await Promise.all([1, 2].map((id) => told(ask(here, { id, x: 9 }))));
    await Promise.all([1, 2].map((id) => ask(here, { id, x: 9, flag: 'end' })));

    expect(more.map(({ so }) => so)).toEqual(['1,9', '2,9']);
    expect(more.map(({ thread }) => thread)).toEqual(begun.map(({ thread }) => thread));
    const next = await Promise.all(
      [3, 4].map((id) => told(ask(here, { id, x: id, flag: 'both' }))),
    );
    expect(new Set(next.map(({ thread }) => thread)).size).toBe(1);
    await vi.waitFor(async () => {
      const sequences = [...(await scrape(here.server))].filter(([name]) =>
        name.startsWith('inferd_sequences{'),
      );
      expect(sequences.map(([, count]) => count)).toEqual([0, 0]);
    });
  });

  it('loses them when its code is changed, and says so', async () => {
    await ask(here, { id: 1, x: 1, flag: 'start' });
    scriptFile(repository, 'm', { code: `${REMEMBERS}\n// changed`, config: '' });
    await change(1);

    const asked = ask(here, { id: 1, x: 2 });
    await expect(asked).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await failureOf(asked)).toContain('must specify the START flag');
  });
});
