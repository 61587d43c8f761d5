// Ensembles of which a step answers any number of times, asked over ModelStreamInfer: a model in TypeScript, then one of ONNX.

import { InferdClient, type StreamAnswer } from 'inferd-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, inferRequest } from './harness/requests.js';
import { ONE_NUMBER, failureOf, scriptFile } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { executions } from './harness/test-client.js';

const DECOUPLED = 'model_transaction_policy { decoupled: true }';

/** Answers 0, 1, … up to its input, or for ever to what is below zero; after three it throws for 13. */
const COUNTS = `
  import { setTimeout } from 'node:timers/promises';
  import { defineModel, tensor } from 'inferd';
  export default defineModel({
    async *stream(request, { metrics }) {
      const [count] = request.input('x', 'FP32').data;
      try {
        for (let i = 0; count! < 0 || i < count!; i++) {
          if (i % 10 === 0) await setTimeout(1);
          if (count === 13 && i === 3) throw new Error('thirteen');
          yield { outputs: { y: tensor('FP32', [1, 1], [i]) } };
        }
      } finally {
        metrics.counter('streams_ended').add();
      }
    },
  });`;

function step(model: string, from: string, to: string, [input, output] = ['x', 'y']): string {
  return `{ model_name: "${model}" input_map { key: "${input}" value: "${from}" } output_map { key: "${output}" value: "${to}" } }`;
}

function ensemble(settings: string, outputs: readonly string[], ...steps: string[]): string {
  const tensor = (name: string): string => `{ name: "${name}" data_type: TYPE_FP32 dims: 1 }`;
  return `platform: "ensemble" max_batch_size: 1 ${settings}
    input [ ${tensor('I')} ] output [ ${outputs.map(tensor).join(', ')} ]
    ensemble_scheduling { max_inflight_requests: 2 step [ ${steps.join(', ')} ] }`;
}

function aRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  const value = (name: string) => ({ name, type: ONNX_TYPE.FLOAT, shape: ['batch', 1] });
  const negated = { op: 'Neg', inputs: ['x'], outputs: ['y'] };
  repository.model(
    'neg',
    { inputs: [value('x')], outputs: [value('y')], nodes: [negated] },
    'max_batch_size: 8',
  );
  scriptFile(repository, 'counts', {
    ...{ code: COUNTS, config: `max_batch_size: 8 ${DECOUPLED} ${ONE_NUMBER}` },
  });
  const whole = (name: string, config: string): void => {
    repository.write(`${name}/config.pbtxt`, config);
    repository.write(`${name}/1/.keep`, '');
  };
  whole('each', ensemble(DECOUPLED, ['O'], step('counts', 'I', 't'), step('neg', 't', 'O')));
  whole(
    'nested',
    ensemble(DECOUPLED, ['O'], step('each', 'I', 't', ['I', 'O']), step('neg', 't', 'O')),
  );
  whole('undeclared', ensemble('', ['O'], step('counts', 'I', 't'), step('neg', 't', 'O')));
  whole(
    'side_by_side',
    ensemble(DECOUPLED, ['O', 'P'], step('counts', 'I', 'O'), step('counts', 'I', 'P')),
  );
  return repository;
}

describe('an ensemble with a decoupled step', () => {
  const here = serving(aRepository(), [
    '--model-control-mode=explicit',
    '--load-model=each',
    '--load-model=nested',
  ]);
  let client: InferdClient;
  beforeAll(() => {
    client = new InferdClient({ addresses: [`127.0.0.1:${here.server.ports.grpc!}`] });
  });
  afterAll(() => client.close());

  async function answersTo(model: string, ...numbers: readonly number[]): Promise<string[]> {
    const stream = await client.stream();
    for (const [index, x] of numbers.entries())
      await stream.send(model, { I: one(x) }, { id: String(index) });
    stream.end();
    const told: string[] = [];
    for await (const answer of stream) told.push(textOf(answer));
    return told;
  }
  const count = (length: number, text: (at: number) => string): string[] =>
    Array.from({ length }, (_, at) => text(at));

  it('answers once for each answer of that step, in their order, and not at all where it has none', async () => {
    const told = await answersTo('each', 200, 0, 2);

    expect(told.filter((text) => text.startsWith('0:'))).toEqual(count(200, (at) => `0:${-at}`));
    expect(told.filter((text) => text.startsWith('2:'))).toEqual(['2:0', '2:-1']);
    expect(told).toHaveLength(202);
    const rows = await executions(here.client, 'neg');
    expect(rows.reduce((sum, [size, batches]) => sum + size * batches, 0)).toBe(202);
  });

  it('is a decoupled step itself', async () => {
    expect(await answersTo('nested', 20)).toEqual(count(20, (at) => `0:${at}`));
  });

  it('says what has gone wrong after what was answered before', async () => {
    const [first, second, third, failure, ...rest] = await answersTo('each', 13);

    expect([first, second, third]).toEqual(['0:0', '0:-1', '0:-2']);
    expect(failure).toMatch(/^0:in ensemble 'each', model 'counts': Error: thirteen/);
    expect(rest).toEqual([]);
  });

  it('stops that step when its caller goes', async () => {
    const name = 'streams_ended{model="counts",version="1"}';
    const ended = async (): Promise<number> => (await scrape(here.server)).get(name) ?? 0;
    const before = await ended();

    const stream = await client.stream();
    await stream.send('each', { I: one(-1) });
    let seen = 0;
    for await (const answer of stream) if (answer.result && ++seen === 50) break;

    await vi.waitFor(async () => expect(await ended()).toBe(before + 1), 10_000);
  });

  it('cannot be asked by a call that has one answer', async () => {
    const asked = here.client.infer(inferRequest('each', [fp32('I', [1, 1], [1])]));

    expect(await failureOf(asked)).toMatch(/^12: .*decoupled/);
  });

  it.each([
    ['undeclared', 'it must say model_transaction_policy { decoupled: true }'],
    ['side_by_side', 'one must be behind the other'],
  ])('is not loaded where that cannot be: %s', async (name, text) => {
    const loaded = here.client.call('RepositoryModelLoad', { model_name: name });

    expect(await failureOf(loaded)).toContain(text);
  });
});

function one(value: number): { datatype: 'FP32'; shape: number[]; data: Float32Array } {
  return { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(value) };
}

/** Without the sign of zero. */
function textOf({ id, error, result }: StreamAnswer): string {
  return `${id}:${error?.details ?? String(Number(result?.outputs['O']?.data[0]) + 0)}`;
}
