// Models with a resilience block, asked by a gRPC client.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ONNX_TYPE, type OnnxGraph } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { COMPUTES_LONG } from './harness/slow-model.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const UNAVAILABLE = 14;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const DEADLINE_EXCEEDED = 4;

const shape = ['n', 2];
const NEGATES = {
  inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape }],
  outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape }],
  nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }],
};
const RENAMED = {
  inputs: [{ name: 'in', type: ONNX_TYPE.FLOAT, shape }],
  outputs: [{ name: 'out', type: ONNX_TYPE.FLOAT, shape }],
  nodes: [{ op: 'Identity', inputs: ['in'], outputs: ['out'] }],
};
/** Fails for an index that is not 0, 1 or 2. */
const PICKS = {
  inputs: [{ name: 'index', type: ONNX_TYPE.INT64, shape: ['k'] }],
  outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['k'] }],
  nodes: [{ op: 'Gather', inputs: ['table', 'index'], outputs: ['y'] }],
  initializers: [
    {
      ...{ name: 'table', type: ONNX_TYPE.FLOAT, shape: [3] },
      data: new Uint8Array(Float32Array.of(10, 20, 30).buffer),
    },
  ],
};

/** A request waits for company that never comes. */
const WAITS_FOR_EVER =
  'max_batch_size: 4 dynamic_batching { max_queue_delay_microseconds: 600000000';
const FALLBACK = `fallback {
  model_name: "small" level: "reduced"
  input_map { key: "in" value: "x" } output_map { key: "out" value: "y" } }`;

describe('a model with a resilience block', () => {
  const repository = new TemporaryRepository();
  repository.model('small', RENAMED, 'max_batch_size: 4');
  repository.model('healthy', NEGATES, `max_batch_size: 4 resilience { ${FALLBACK} retry { } }`);
  repository.model(
    'full',
    NEGATES,
    `${WAITS_FOR_EVER} default_queue_policy { max_queue_size: 1 } } resilience { ${FALLBACK} }`,
  );
  repository.model(
    'slow',
    COMPUTES_LONG,
    `max_batch_size: 4 resilience { timeout_microseconds: 500000 ${FALLBACK} }`,
  );
  repository.model('limited', NEGATES, `${WAITS_FOR_EVER} } resilience { max_concurrency: 1 }`);
  repository.model(
    'watched',
    PICKS,
    `max_batch_size: 0 resilience { circuit_breaker {
       failure_threshold: 2 recovery_timeout_microseconds: 3000000 half_open_max_requests: 1 } }`,
  );
  repository.model(
    'remembers',
    PICKS,
    `max_batch_size: 0 resilience {
       retry { max_attempts: 2 } fallback { last_good { key_parameter: "user" } level: "stale" } }`,
  );
  repository.write(
    'whole/config.pbtxt',
    `platform: "ensemble" max_batch_size: 4
     input [ { name: "x" data_type: TYPE_FP32 dims: [ 2 ] } ]
     output [ { name: "z" data_type: TYPE_FP32 dims: [ 2 ] } ]
     ensemble_scheduling { step [ {
       model_name: "full" model_version: -1 input_map { key: "x" value: "x" } output_map { key: "y" value: "z" }
     } ] }
     resilience { timeout_microseconds: 20000000 retry { } }`,
  );
  repository.write('whole/1/.keep', '');
  const here = serving(repository);

  const negated = (model: string): Message => inferRequest(model, [fp32('x', [1, 2], [1, 2])]);
  const picked = (model: string, index: number, user = 'ann'): Message => ({
    ...inferRequest(model, []),
    inputs: [{ name: 'index', datatype: 'INT64', shape: [1] }],
    raw_input_contents: [Buffer.from(BigInt64Array.of(BigInt(index)).buffer)],
    parameters: { user: { string_param: user } },
  });
  const codeOf = (request: Message): Promise<number> =>
    here.client.infer(request).then(
      () => 0,
      (error: unknown) => (error as { code: number }).code,
    );
  const waitsIn = (model: string): Promise<void> =>
    vi.waitFor(async () => {
      const name = `nv_inference_pending_request_count{model="${model}",version="1"}`;
      expect((await scrape(here.server)).get(name)).toBe(1);
    }, 10_000);

  it('says who answered, and nothing of degradation, when all is well', async () => {
    const answer = await here.client.infer(negated('healthy'));

    expect(fp32Output(answer, 'y')).toEqual([-1, -2]);
    expect(told(answer)).toEqual({ served_by: 'healthy:1', attempts: 1, hedged: false });
  });

  it('lets its fallback answer when its queue is full', async () => {
    const waiting = here.client.start('ModelInfer', negated('full'), {});
    const ended = waiting.answer.catch(() => undefined);
    await waitsIn('full');

    const answer = await here.client.infer(negated('full'));
    waiting.cancel();
    await ended;

    expect(fp32Output(answer, 'y')).toEqual([1, 2]);
    expect(answer).toMatchObject({ model_name: 'full', model_version: '1' });
    expect(told(answer)).toEqual({
      ...{ served_by: 'small:1', degradation_level: 'reduced' },
      ...{ attempts: 2, hedged: false },
    });
  });

  it('lets its fallback answer when it takes too long, and counts a success of its own', async () => {
    const answer = await here.client.infer(negated('slow'));
    const { model_stats: stats } = await here.client.call('ModelStatistics', { name: 'slow' });

    expect(told(answer)).toMatchObject({ served_by: 'small:1', degradation_level: 'reduced' });
    expect(stats).toMatchObject([
      { inference_stats: { success: { count: 1 }, fail: { count: 0 } } },
    ]);
  });

  it('as an ensemble says how degraded the worst of its legs is', async () => {
    const waiting = here.client.start('ModelInfer', negated('full'), {});
    const ended = waiting.answer.catch(() => undefined);
    await waitsIn('full');

    const answer = await here.client.infer(negated('whole'));
    waiting.cancel();
    await ended;

    expect(fp32Output(answer, 'z')).toEqual([1, 2]);
    expect(told(answer)).toMatchObject({
      ...{ served_by: 'whole:1', degradation_level: 'reduced' },
      ...{ attempts: 1, hedged: false },
    });
  });

  it('turns away who finds no permit', async () => {
    const waiting = here.client.start('ModelInfer', negated('limited'), {});
    const ended = waiting.answer.catch(() => undefined);
    await waitsIn('limited');

    const turnedAway = here.client.infer(negated('limited'));

    await expect(turnedAway).rejects.toMatchObject({
      code: RESOURCE_EXHAUSTED,
      details: "model 'limited' has as many requests under way as it may have: 1",
    });
    waiting.cancel();
    await ended;
  });

  it('is left alone when it failed twice in a row, tried again after a while, and serves on', async () => {
    const [good, bad] = [picked('watched', 1), picked('watched', 99)];

    const failures = [await codeOf(bad), await codeOf(bad)];
    const open = here.client.infer(good);

    expect(failures).toEqual([INTERNAL, INTERNAL]);
    await expect(open).rejects.toMatchObject({
      code: UNAVAILABLE,
    });
    await vi.waitFor(async () => expect(await codeOf(good)).toBe(0), 20_000);
    expect([await codeOf(bad), await codeOf(good)]).toEqual([INTERNAL, 0]);
  }, 30_000);

  it('gives the last good answer of the same user when it fails again and again', async () => {
    await here.client.infer(picked('remembers', 2, 'ann'));

    const answer = await here.client.infer(picked('remembers', 99, 'ann'));

    expect(fp32Output(answer, 'y')).toEqual([30]);
    expect(told(answer)).toEqual({
      ...{ served_by: 'remembers:1', degradation_level: 'stale' },
      ...{ attempts: 2, hedged: false },
    });
    expect(await codeOf(picked('remembers', 99, 'bob'))).toBe(INTERNAL);
  });

  it('says nothing of the kind where there is no such block', async () => {
    const answer = await here.client.infer(inferRequest('small', [fp32('in', [1, 2], [1, 2])]));

    expect(told(answer)).toEqual({});
  });
});

/** The parameters of a response as plain values. */
function told(answer: Message): Record<string, unknown> {
  const parameters = answer['parameters'] as Record<string, Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => [
      key,
      value[value['parameter_choice'] as string],
    ]),
  );
}

describe('a fallback', () => {
  const repository = new TemporaryRepository();
  const doubles = (type: number): OnnxGraph => ({
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape }],
    outputs: [{ name: 'y', type, shape }],
    nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], ints: { to: type } }],
  });
  repository.model('small', doubles(ONNX_TYPE.INT64), 'max_batch_size: 2');
  repository.model(
    'leans',
    COMPUTES_LONG,
    `max_batch_size: 2 resilience { timeout_microseconds: 200000 fallback { model_name: "small" } }`,
  );
  const here = serving(repository, ['--model-control-mode=explicit']);
  const load = (name: string): Promise<Message> =>
    here.client.call('RepositoryModelLoad', { model_name: name });

  it('that does not fit keeps its model from being loaded; one that is not there does not', async () => {
    await expect(load('leans')).rejects.toMatchObject({
      details: expect.stringContaining(
        "fallback 'small' of model 'leans' has TYPE_INT64 for output 'y', which is TYPE_FP32",
      ) as string,
    });

    await here.client.call('RepositoryModelUnload', { model_name: 'small' });
    rmSync(join(repository.path, 'small'), { recursive: true });
    await load('leans');
  });

  it('that has changed since does not answer in another type', async () => {
    const request = inferRequest('leans', [fp32('x', [1, 2], [1, 2])]);
    repository.model('small', doubles(ONNX_TYPE.FLOAT), 'max_batch_size: 2');
    await load('small');
    expect(fp32Output(await here.client.infer(request), 'y')).toEqual([1, 2]);

    repository.model('small', doubles(ONNX_TYPE.INT64), 'max_batch_size: 2');
    await load('small');

    await expect(here.client.infer(request)).rejects.toMatchObject({ code: DEADLINE_EXCEEDED });
  });
});
