// Ensembles of ONNX models over a real server: what runs side by side, what is not run at all, and who gives up when.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { afterAll, describe, expect, it } from 'vitest';
import type { RepositoryCheck } from '../cli/repository-check.js';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { COMPUTES_LONG } from './harness/slow-model.js';
import { GOLDEN_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { executions, type Message, type TestClient } from './harness/test-client.js';

const MAIN = fileURLToPath(new URL('../../dist/runtime/main.js', import.meta.url));

/** x to y, in rows of two. */
function graph(op: string): OnnxGraph {
  const value = (name: string) => ({ name, type: ONNX_TYPE.FLOAT, shape: ['batch', 2] });
  const nodes = [{ op, inputs: ['x'], outputs: ['y'] }];
  return { inputs: [value('x')], outputs: [value('y')], nodes };
}

const PAIRS_ONLY = `
  max_batch_size: 2
  dynamic_batching { preferred_batch_size: 2 max_queue_delay_microseconds: 60000000 }`;

function step(model: string, from: string, to: string, more = ''): string {
  return `{ model_name: "${model}" input_map { key: "x" value: "${from}" } output_map { key: "y" value: "${to}" } ${more} }`;
}

function ensemble(outputs: readonly string[], ...steps: readonly string[]): string {
  const tensor = (name: string): string => `{ name: "${name}" data_type: TYPE_FP32 dims: 2 }`;
  return `platform: "ensemble" max_batch_size: 1 input [ ${tensor('I')} ] output [ ${outputs.map(tensor).join(', ')} ]
    ensemble_scheduling { step [ ${steps.join(', ')} ] }`;
}

function aRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  repository.model('neg', graph('Neg'), 'max_batch_size: 2');
  repository.model('relu', graph('Relu'), 'max_batch_size: 2');
  // A request alone waits here for as long as the test lasts.
  for (const name of ['pair', 'stuck']) repository.model(name, graph('Neg'), PAIRS_ONLY);
  repository.model('slow', COMPUTES_LONG, 'max_batch_size: 2');
  const whole = (name: string, config: string): void => {
    repository.write(`${name}/config.pbtxt`, config);
    repository.write(`${name}/1/.keep`, '');
  };
  whole('side_by_side', ensemble(['O', 'P'], step('pair', 'I', 'O'), step('pair', 'I', 'P')));
  whole(
    'pruned',
    ensemble(['O', 'P'], step('neg', 'I', 'O'), step('relu', 'I', 't'), step('relu', 't', 'P')),
  );
  whole('hurried', ensemble(['O'], step('neg', 'I', 't'), step('slow', 't', 'O')));
  whole('patient', ensemble(['O'], step('neg', 'I', 't'), step('stuck', 't', 'O')));
  whole(
    'impatient',
    ensemble(
      ['O', 'P', 'Q'],
      step('neg', 'I', 'O'),
      step('slow', 'I', 'P', 'timeout_microseconds: 50000 on_error: CONTINUE'),
      step('neg', 'P', 'Q'),
    ),
  );
  whole('cached', `${ensemble(['O'], step('neg', 'I', 'O'))} response_cache { enable: true }`);
  return repository;
}

function ask(model: string, outputs: readonly string[] = []): Message {
  const wanted = outputs.map((name) => ({ name }));
  return inferRequest(model, [fp32('I', [1, 2], [1, -2])], { outputs: wanted });
}

async function failures(client: TestClient, name: string): Promise<number> {
  const { model_stats: stats } = await client.call('ModelStatistics', { name });
  const [version] = stats as [{ inference_stats: { fail: { count: number } } }];
  return version.inference_stats.fail.count;
}

describe('an ensemble', () => {
  const running = serving(aRepository());

  it('runs steps side by side: two that ask the same model are one batch', async () => {
    const answer = await running.client.infer(ask('side_by_side'));

    expect([fp32Output(answer, 'O'), fp32Output(answer, 'P')]).toEqual([
      [-1, 2],
      [-1, 2],
    ]);
    expect(await executions(running.client, 'pair')).toEqual([[2, 1]]);
  });

  it('runs no step that the outputs asked for do not need', async () => {
    const { client } = running;

    const answer = await client.infer(ask('pruned', ['O']));
    expect(answer['outputs']).toMatchObject([{ name: 'O' }]);
    expect(await executions(client, 'relu')).toEqual([]);

    expect(fp32Output(await client.infer(ask('pruned')), 'P')).toEqual([1, 0]);
    expect(await executions(client, 'relu')).toEqual([[1, 2]]);
    expect(await executions(client, 'pruned')).toEqual([[1, 2]]);
  });

  it('answers with what has arrived when a step is late', async () => {
    const answer = await running.client.infer(ask('impatient'));

    expect((answer['outputs'] as { name: string }[]).map(({ name }) => name)).toEqual(['O']);
    expect(fp32Output(answer, 'O')).toEqual([-1, 2]);
    expect(await failures(running.client, 'impatient')).toBe(0);
  });

  it('is bounded by its caller’s deadline', async () => {
    const { client } = running;

    const answer = client.infer(ask('hurried'), { deadline: Date.now() + 300 });

    await expect(answer).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await expect.poll(() => failures(client, 'hurried')).toBe(1);
    expect((await executions(client, 'neg'))[0]![1]).toBeGreaterThan(0);
  });

  it('is cancelled with its call, in whatever step it is', async () => {
    const { client } = running;
    const [stuck, patient] = [await failures(client, 'stuck'), await failures(client, 'patient')];
    const steps = async (): Promise<number> => (await executions(client, 'neg'))[0]![1];
    const before = await steps();

    const { answer, cancel } = client.start('ModelInfer', ask('patient'));
    const ended = expect(answer).rejects.toMatchObject({ code: status.CANCELLED });
    await expect.poll(steps).toBe(before + 1);
    cancel();

    await ended;
    await expect.poll(() => failures(client, 'stuck')).toBe(stuck + 1);
    await expect.poll(() => failures(client, 'patient')).toBe(patient + 1);
  });

  it('says that it is not cached', async () => {
    const { level } = await running.server.logged(/^response_cache is ignored: ensembles/);

    expect(level).toBe(40);
  });
});

describe('inferd check of ensembles', () => {
  const repository = new TemporaryRepository();
  afterAll(() => repository.remove());

  async function found(path: string, ...flags: string[]): Promise<RepositoryCheck> {
    const out = await new Promise<string>((resolve) => {
      execFile(process.execPath, [MAIN, 'check', path, '--json', ...flags], (_error, text) =>
        resolve(text),
      );
    });
    return JSON.parse(out) as RepositoryCheck;
  }

  it('holds good ones against their parts, whatever they are named', async () => {
    for (const name of ['inc', 'double', 'add_sub', 'chain', 'diamond', 'nested'])
      repository.copy(join(GOLDEN_MODELS, 'repo_ensemble', name), name);

    expect(await found(repository.path)).toMatchObject({ models: 6, problems: [], warnings: [] });
  });

  it('lists everything that is wrong with bad ones', async () => {
    repository.write(
      'a_bad/config.pbtxt',
      ensemble(['O', 'P'], step('inc', 'I', 'O'), step('double', 'I', 'P')),
    );
    repository.write('a_bad/1/.keep', '');
    const circle = (of: string, asks: string): void => {
      repository.write(`${of}/config.pbtxt`, ensemble(['O'], step(asks, 'I', 'O')));
      repository.write(`${of}/1/.keep`, '');
    };
    circle('b_circle', 'c_circle');
    circle('c_circle', 'b_circle');
    circle('d_alone', 'nosuch');

    const { problems } = await found(repository.path);

    expect(problems.map(({ model, message }) => `${model}: ${message}`)).toEqual([
      ...['inc', 'double'].flatMap((part, at) => [
        `a_bad: in ensemble a_bad, ensemble tensor I is mapping to non-existing input x in model ${part}`,
        `a_bad: in ensemble a_bad, input INPUT0 in model ${part} is not mapped to any ensemble tensors`,
        `a_bad: in ensemble a_bad, ensemble tensor ${'OP'[at]!} is mapped from non-existing output y in model ${part}`,
      ]),
      'd_alone: ensemble d_alone contains models that are not available or ambiguous: nosuch',
      'b_circle: circular dependency between ensembles: b_circle -> ... -> c_circle -> b_circle',
      'c_circle: circular dependency between ensembles: c_circle -> ... -> b_circle -> c_circle',
    ]);
    const { problems: ofConfigs } = await found(repository.path, '--config-only');
    expect(ofConfigs.map(({ model }) => model)).toEqual(['d_alone', 'b_circle', 'c_circle']);
  });
});
