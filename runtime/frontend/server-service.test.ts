import { describe, expect, it } from 'vitest';
import { ModelStatistics } from '../core/model-statistics.js';
import { Timings } from '../core/call.js';
import { answerOf, failureOf, inferenceNames } from '../testing/ask-service.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeHealth } from '../testing/fake-health.js';
import { GRPC } from './grpc-status.js';
import type { GrpcMethod } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { serverMethods } from './server-service.js';

const INFO = { name: 'inferd', version: '1.2.3', extensions: ['classification', 'statistics'] };

function methodsOf(catalog = new FakeCatalog(), health = new FakeHealth()): GrpcMethod[] {
  return serverMethods(INFO, health, catalog);
}

function ask(methods: GrpcMethod[], name: string, request: Message = {}): Promise<Message> {
  return answerOf(methods, inferenceNames(name), request);
}

function refusal(methods: GrpcMethod[], name: string, request: Message): Promise<unknown> {
  return failureOf(methods, inferenceNames(name), request);
}

describe('the server', () => {
  it('lives as long as it answers', async () => {
    const health = new FakeHealth();
    health.stop();

    expect(await ask(methodsOf(undefined, health), 'ServerLive')).toEqual({ live: true });
  });

  it.each([true, false])('says whether it is ready: %s', async (ready) => {
    const health = new FakeHealth();
    health.ready = ready;

    expect(await ask(methodsOf(undefined, health), 'ServerReady')).toEqual({ ready });
  });

  it('tells its name, version and extensions', async () => {
    expect(await ask(methodsOf(), 'ServerMetadata')).toEqual(INFO);
  });
});

describe('ModelReady', () => {
  it('tells of the version that is named, or of any', async () => {
    const methods = methodsOf(new FakeCatalog().serve(aServedModel({ version: 2 })).know('n'));
    const ready = async (name: string, version = ''): Promise<unknown> =>
      (await ask(methods, 'ModelReady', { name, version }))['ready'];

    expect(await ready('m')).toBe(true);
    expect(await ready('m', '2')).toBe(true);
    expect(await ready('m', '1')).toBe(false);
    expect(await ready('n')).toBe(false);
  });

  it('calls what is unknown not ready, and no error', async () => {
    expect(await ask(methodsOf(), 'ModelReady', { name: 'nosuch' })).toEqual({ ready: false });
  });
});

describe('ModelMetadata', () => {
  const tensors = {
    inputs: [
      { name: 'x', dataType: 'FP32', shape: [-1, 2] },
      { name: 's', dataType: 'BYTES', shape: [-1] },
    ],
    outputs: [{ name: 'y', dataType: 'BF16', shape: [-1, 2 ** 40] }],
  } as const;

  it('describes the model as its users see it', async () => {
    const catalog = new FakeCatalog().serve(aServedModel({ platform: 'p', ...tensors }));

    expect(await ask(methodsOf(catalog), 'ModelMetadata', { name: 'm' })).toEqual({
      name: 'm',
      versions: ['1'],
      platform: 'p',
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [-1, 2] },
        { name: 's', datatype: 'BYTES', shape: [-1] },
      ],
      outputs: [{ name: 'y', datatype: 'BF16', shape: [-1, 2 ** 40] }],
      properties: {},
    });
  });

  it('has the properties of the model', async () => {
    const properties = { 'metrics.accuracy': '0.99' };
    const catalog = new FakeCatalog().serve(aServedModel({ properties }));

    expect(await ask(methodsOf(catalog), 'ModelMetadata', { name: 'm' })).toMatchObject({
      properties,
    });
  });

  it('lists every version that is ready, or only the one that is named', async () => {
    const catalog = new FakeCatalog()
      .serve(aServedModel({ version: 2 }))
      .serve(aServedModel({ version: 10 }))
      .serve(aServedModel({ name: 'other', version: 7 }));
    const methods = methodsOf(catalog);

    const all = await ask(methods, 'ModelMetadata', { name: 'm' });
    const one = await ask(methods, 'ModelMetadata', { name: 'm', version: '2' });

    expect([all['versions'], one['versions']]).toEqual([['2', '10'], ['2']]);
  });
});

describe('ModelConfig', () => {
  it('shows the completed configuration', async () => {
    const config = {
      name: 'm',
      max_batch_size: 8,
      input: [{ name: 'x', data_type: 'TYPE_STRING', dims: [-1, 2] }],
      dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: 100 },
      instance_group: [{ name: 'm_0', kind: 'KIND_CPU', count: 2 }],
      parameters: { key: { string_value: 'value' } },
      version_policy: { specific: { versions: [1, 3] } },
    };
    const catalog = new FakeCatalog().serve(aServedModel({ configMessage: config }));

    expect(await ask(methodsOf(catalog), 'ModelConfig', { name: 'm' })).toMatchObject({ config });
  });

  it('tells where its values come from when it is asked to', async () => {
    const origins = { name: 'default', max_batch_size: 'file' };
    const configOrigins = (): ReadonlyMap<string, string> => new Map(Object.entries(origins));
    const methods = methodsOf(new FakeCatalog().serve(aServedModel({ configOrigins })));

    const plain = await ask(methods, 'ModelConfig', { name: 'm' });
    const explained = await ask(methods, 'ModelConfig', { name: 'm', explain: true });

    expect([plain['origins'], explained['origins']]).toEqual([{}, origins]);
  });
});

describe.each(['ModelMetadata', 'ModelConfig'])('%s', (name) => {
  it('gives the model back', async () => {
    const catalog = new FakeCatalog().serve(aServedModel());

    await ask(methodsOf(catalog), name, { name: 'm', version: '1' });

    expect([catalog.acquired, catalog.released]).toEqual([['m:1'], 1]);
  });

  it('does not find what is not there', async () => {
    expect(await refusal(methodsOf(), name, { name: 'nosuch' })).toEqual({
      code: GRPC.NOT_FOUND,
      message: "Request for unknown model: 'nosuch' is not found",
    });
  });
});

describe('ModelStatistics', () => {
  function ready(...models: [name: string, version: number][]): GrpcMethod[] {
    const catalog = new FakeCatalog();
    for (const [name, version] of models) catalog.serve(aServedModel({ name, version }));
    return methodsOf(catalog);
  }

  async function listed(methods: GrpcMethod[], request: Message): Promise<unknown> {
    const { model_stats: models } = await ask(methods, 'ModelStatistics', request);
    return (models as Message[]).map(({ name, version }) => `${String(name)}:${String(version)}`);
  }

  it('lists the versions that are asked for', async () => {
    const methods = ready(['m', 1], ['m', 2], ['n', 2]);

    expect(await listed(methods, {})).toEqual(['m:1', 'm:2', 'n:2']);
    expect(await listed(methods, { name: 'm' })).toEqual(['m:1', 'm:2']);
    expect(await listed(methods, { name: 'm', version: '2' })).toEqual(['m:2']);
    expect(await listed(methods, { version: '2' })).toEqual(['m:2', 'n:2']);
  });

  it('lists nothing, and fails not, where nothing is asked for by name and nothing serves', async () => {
    expect(await listed(ready(), {})).toEqual([]);
    expect(await listed(ready(['m', 1]), { version: '9' })).toEqual([]);
  });

  it.each([
    [{ name: 'nosuch' }, "requested model 'nosuch' is not available"],
    [{ name: 'nosuch', version: '3' }, "requested model 'nosuch' is not available"],
    [{ name: 'm', version: '3' }, "requested model version is not available for model 'm'"],
    [
      { name: 'm', version: 'x' },
      "failed to get model version from specified version string 'x' (details: stol), version should be an integral value > 0",
    ],
  ])('refuses %j', async (request, message) => {
    expect(await refusal(ready(['m', 1]), 'ModelStatistics', request)).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message,
    });
  });

  it('counts durations in whole nanoseconds', async () => {
    const statistics = new ModelStatistics();
    const timings = new Timings();
    Object.assign(timings, { receivedAt: 10, queuedAt: 11, dispatchedAt: 13.5 });
    Object.assign(timings, { inputMs: 0.25, inferMs: 0.1 + 0.2, outputMs: 0.000001 });
    statistics.succeeded(timings, 20);
    statistics.succeeded(timings, 20);
    statistics.failed('BACKEND_FAILED', 3);
    const catalog = new FakeCatalog().serve(aServedModel({ statistics }));

    const { model_stats: models } = await ask(methodsOf(catalog), 'ModelStatistics', { name: 'm' });

    expect((models as Message[])[0]!['inference_stats']).toEqual({
      success: { count: 2, ns: 20_000_000 },
      fail: { count: 1, ns: 3_000_000 },
      queue: { count: 2, ns: 5_000_000 },
      compute_input: { count: 2, ns: 500_000 },
      compute_infer: { count: 2, ns: 600_000 },
      compute_output: { count: 2, ns: 2 },
      cache_hit: { count: 0, ns: 0 },
      cache_miss: { count: 0, ns: 0 },
    });
  });

  it('counts rows, executions and, by their size, batches', async () => {
    const statistics = new ModelStatistics();
    statistics.executed(10, { inputMs: 1, inferMs: 2, outputMs: 3 });
    statistics.executed(2, { inputMs: 4, inferMs: 5, outputMs: 6 });
    statistics.executed(10, { inputMs: 1, inferMs: 2, outputMs: 3 });
    statistics.lastInferenceMs = 1_700_000_000_123;
    const catalog = new FakeCatalog().serve(aServedModel({ statistics }));

    const { model_stats: models } = await ask(methodsOf(catalog), 'ModelStatistics');

    expect((models as Message[])[0]).toMatchObject({
      last_inference: 1_700_000_000_123,
      inference_count: 22,
      execution_count: 3,
      batch_stats: [
        {
          batch_size: 2,
          compute_input: { count: 1, ns: 4_000_000 },
          compute_infer: { count: 1, ns: 5_000_000 },
          compute_output: { count: 1, ns: 6_000_000 },
        },
        {
          batch_size: 10,
          compute_input: { count: 2, ns: 2_000_000 },
          compute_infer: { count: 2, ns: 4_000_000 },
          compute_output: { count: 2, ns: 6_000_000 },
        },
      ],
    });
  });
});
