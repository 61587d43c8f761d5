// Models written in TypeScript, over real sockets and in real threads: what they can do, and what they cannot do to others.

import { describe, expect, it, vi } from 'vitest';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { ONE_NUMBER, failureOf, scriptModel } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const BATCHING = 'max_batch_size: 64 dynamic_batching { }';

describe('models that misbehave', () => {
  const repository = new TemporaryRepository();
  scriptModel(repository, 'good', {
    body: `return requests.map((request) => y(request.input('x', 'FP32').data[0]! + 1));`,
  });
  scriptModel(repository, 'throws', {
    config: `max_batch_size: 64 dynamic_batching { max_queue_delay_microseconds: 100000 }`,
    body: `
      return requests.map((request) => {
        const x = request.input('x', 'FP32').data[0]!;
        if (x === 13) throw new TypeError('thirteen');
        if (x === 14) throw new ModelError('not fourteen', { code: 'INVALID_ARGUMENT' });
        if (x === 15) return new Error('fifteen');
        return y(x);
      });`,
  });
  scriptModel(repository, 'loops', {
    config: `max_batch_size: 64 parameters { key: "max_execution_ms" value { string_value: "300" } }`,
    body: `
      for (const request of requests) while (request.input('x', 'FP32').data[0] === 13);
      return requests.map(() => y(1));`,
  });
  scriptModel(repository, 'exits', {
    body: `
      for (const request of requests) if (request.input('x', 'FP32').data[0] === 13) process.exit(3);
      return requests.map(() => y(1));`,
  });
  scriptModel(repository, 'fills', {
    config: `max_batch_size: 64 parameters { key: "max_heap_mb" value { string_value: "64" } }`,
    body: `
      const kept: unknown[] = [];
      while (requests[0]!.input('x', 'FP32').data[0] === 13) kept.push(new Array(1000).fill(kept.length));
      return requests.map(() => y(kept.length));`,
  });
  scriptModel(repository, 'floods', {
    body: `
      if (requests[0]!.input('x', 'FP32').data[0] === 13) throw new Error('x'.repeat(400_000_000));
      for (let line = 0; line < 100_000; line++) console.log('line %d', line);
      return requests.map(() => y(1));`,
  });
  scriptModel(repository, 'posts', {
    body: `
      const { parentPort } = await import('node:worker_threads');
      for (const message of [null, undefined, 'text', 7, {}, { kind: 'log' }, { kind: 'infer', task: 0 },
        { kind: 'metrics' }, { kind: 'streamed', task: 0 }, { kind: 'executed', task: 'x' }])
        parentPort!.postMessage(message);
      return requests.map(() => y(1));`,
  });
  const here = serving(repository);

  const ask = (model: string, x: number): Promise<Message> =>
    here.client.infer(inferRequest(model, [fp32('x', [1, 1], [x])]));

  /** Answers of `good` while `work` goes on; returns what `work` gave. */
  async function meanwhile<T>(work: Promise<T>): Promise<T> {
    const underWay = new Set([work]);
    const over = work.finally(() => underWay.clear());
    do expect(fp32Output(await ask('good', 1), 'y')).toEqual([2]);
    while (underWay.size > 0);
    return over;
  }

  it('fails the request that makes it throw, and no other of its batch', async () => {
    const outcomes = await Promise.all(
      [1, 13, 2, 14, 15, 3].map((x) => failureOf(ask('throws', x))),
    );

    expect(outcomes).toEqual([
      'answered',
      "13: model 'throws': TypeError: thirteen (model.ts:9:29)",
      'answered',
      "3: model 'throws': not fourteen",
      "13: model 'throws': Error: fifteen (model.ts:11:30)",
      'answered',
    ]);
  });

  it.each([
    ['loops', "the thread of model 'loops' has ended: a batch did not end within 300 ms"],
    ['exits', "the thread of model 'exits' has ended: its code ended it (exit code 3)"],
    ['fills', /the thread of model 'fills' has ended: .*memory limit/],
  ])('serves the others while %s does, and that one again after it', async (model, text) => {
    const asked = Array.from({ length: 8 }, (_, i) => failureOf(ask(model, i === 3 ? 13 : 0)));

    const outcomes = await meanwhile(Promise.all(asked));

    expect(outcomes[3]).toMatch(typeof text === 'string' ? `14: ${text}` : text);
    expect(outcomes.filter((outcome) => outcome === 'answered').length).toBeGreaterThan(0);
    await vi.waitFor(async () => expect(await failureOf(ask(model, 0))).toBe('answered'), 10_000);
    expect(here.server.isUp).toBe(true);
  });

  it('does not listen to messages that code posts to the thread that started its own', async () => {
    expect(await failureOf(ask('posts', 1))).toBe('answered');
    expect(await failureOf(ask('posts', 1))).toBe('answered');

    await here.server.logged(/what its code posts to the parentPort of its thread is not heard/);
    expect(await failureOf(ask('good', 1))).toBe('answered');
    expect(here.server.isUp).toBe(true);
  });

  it('cuts errors of any length', async () => {
    expect(await failureOf(ask('floods', 13))).toMatch(/^13: model 'floods': Error: x{6000}/);
    expect(here.server.isUp).toBe(true);
  });

  it('leaves out lines where there are too many', async () => {
    expect(await failureOf(ask('floods', 1))).toBe('answered');

    await here.server.logged(/lines were left out: a model may log 500 lines a second/);
    expect(here.server.log.filter(({ msg }) => /^line \d+$/.test(msg)).length).toBeLessThan(50_000);
  });
});

describe('models that ask others, with one executor thread', () => {
  const repository = new TemporaryRepository();
  scriptModel(repository, 'inner', {
    config: BATCHING,
    body: `return requests.map((request) => y(request.input('x', 'FP32').data[0]! + 1));`,
  });
  const asking = (model: string): string => `
      return Promise.all(requests.map(async (request) => {
        const x = request.input('x', 'FP32');
        const answer = await context.infer({ model: '${model}', inputs: { x }, request });
        return { outputs: { y: tensor('FP32', [1, 1], answer.output('y', 'FP32').data) } };
      }));`;
  scriptModel(repository, 'outer', { config: BATCHING, body: asking('inner') });
  scriptModel(repository, 'itself', { body: asking('itself') });
  scriptModel(repository, 'ping', { body: asking('pong') });
  scriptModel(repository, 'pong', { body: asking('ping') });
  // By way of a pipeline.
  scriptModel(repository, 'within', { body: asking('around') });
  repository.write('around/1/.keep', '');
  repository.write(
    'around/config.pbtxt',
    `platform: "ensemble" max_batch_size: 64 ${ONE_NUMBER}
     ensemble_scheduling { step [ {
       model_name: "within" model_version: -1
       input_map { key: "x" value: "x" } output_map { key: "y" value: "y" }
     } ] }`,
  );
  scriptModel(repository, 'unknown', { body: asking('nobody') });
  // Each waits for the other's only slot if waiting takes one.
  const crossing = (other: string): string => `
      const [request] = requests;
      const x = request!.input('x', 'FP32');
      if (x.data[0]! < 0) return [y(x.data[0]!)];
      const inputs = { x: tensor('FP32', [1, 1], [-1 - x.data[0]!]) };
      const answer = await context.infer({ model: '${other}', inputs });
      return [{ outputs: { y: answer.output('y', 'FP32') } }];`;
  scriptModel(repository, 'left', { body: crossing('right'), config: 'max_batch_size: 1' });
  scriptModel(repository, 'right', { body: crossing('left'), config: 'max_batch_size: 1' });
  for (let i = 1; i <= 9; i++)
    scriptModel(repository, `deep${i}`, { body: asking(i === 9 ? 'inner' : `deep${i + 1}`) });
  const here = serving(repository, ['--executor-threads=1']);

  const ask = async (model: string, x: number): Promise<number> =>
    fp32Output(await here.client.infer(inferRequest(model, [fp32('x', [1, 1], [x])])), 'y')[0]!;

  it('answers 64 nested calls at once', async () => {
    const numbers = Array.from({ length: 64 }, (_, i) => i);

    expect(await Promise.all(numbers.map((x) => ask('outer', x)))).toEqual(
      numbers.map((x) => x + 1),
    );
  });

  it('answers when two models wait for each other', async () => {
    const numbers = Array.from({ length: 64 }, (_, i) => i);

    expect(await Promise.all(numbers.map((x) => ask(x % 2 ? 'left' : 'right', x)))).toEqual(
      numbers.map((x) => -1 - x),
    );
  });

  it.each([
    ['itself', "13: model 'itself': model 'itself' would ask itself: itself > itself"],
    ['ping', "13: model 'ping': model 'pong': model 'ping' would ask itself: ping > pong > ping"],
    [
      'within',
      "13: model 'within': in ensemble 'around', model 'within' would ask itself: within > within",
    ],
    ['unknown', "5: model 'unknown': Request for unknown model: 'nobody' is not found"],
    ['deep1', /13: .*models ask each other at most 8 deep: deep1 > .* > deep9 > inner$/],
  ])('fails the call of %s', async (model, text) => {
    expect(
      await failureOf(here.client.infer(inferRequest(model, [fp32('x', [1, 1], [1])]))),
    ).toMatch(text);
  });

  it('answers chains of eight', async () => {
    expect(await ask('deep3', 1)).toBe(2);
  });
});

describe('a model in the manner of CommonJS', () => {
  const repository = new TemporaryRepository();
  repository.write(
    'required/1/model.js',
    `const { defineModel, tensor } = require('inferd');
     const { value } = require('./value.cjs');
     const outputs = { y: tensor('FP32', [1, 1], [value]) };
     module.exports = defineModel({ execute: (requests) => requests.map(() => ({ outputs })) });`,
  );
  repository.write('required/1/value.cjs', 'exports.value = 5;');
  repository.write(
    'required/config.pbtxt',
    `backend: "typescript" max_batch_size: 8 ${ONE_NUMBER}`,
  );
  const here = serving(repository);

  it('is one like any other', async () => {
    const answer = await here.client.infer(inferRequest('required', [fp32('x', [1, 1], [1])]));

    expect(fp32Output(answer, 'y')).toEqual([5]);
  });
});
