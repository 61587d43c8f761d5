// Decoupled models that live in other servers: two with a model in TypeScript, and one in front of them, by itself and in an ensemble.

import { InferdClient, type StreamAnswer } from 'inferd-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { OtlpReceiver, type ReceivedSpan } from './harness/otlp-receiver.js';
import { remoteConfig } from './harness/remote-repository.js';
import { fp32, inferRequest } from './harness/requests.js';
import { ONE_NUMBER, failureOf, scriptFile, scriptModel } from './harness/script-model.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { TestClient, type Message } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';
import { unreadStream } from './harness/unread-stream.js';

const DECOUPLED = 'model_transaction_policy { decoupled: true }';
const DECLARED = `max_batch_size: 8 ${ONE_NUMBER}`;

/** Answers 0, 1, … up to its input, or for ever to what is below zero; after three it throws for 13. */
const COUNTS = `
  import { setImmediate } from 'node:timers/promises';
  import { defineModel, tensor, ModelError } from 'inferd';
  export default defineModel({
    async *stream(request, { metrics }) {
      const [count] = request.input('x', 'FP32').data;
      const made = metrics.counter('made');
      try {
        for (let i = 0; count! < 0 || i < count!; i++) {
          if (count === 13 && i === 3) throw new ModelError('thirteen', { code: 'INVALID_ARGUMENT' });
          made.add();
          yield { outputs: { y: tensor('FP32', [1, 1], [i]) } };
          if (i % 100 === 0) await setImmediate();
        }
      } finally {
        metrics.counter('ended').add();
      }
    },
  });`;

const repositories: TemporaryRepository[] = [];
const running: TestServer[] = [];

afterAll(() => {
  for (const repository of repositories) repository.remove();
});

async function started(
  repository: TemporaryRepository,
  env: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  repositories.push(repository);
  const server = await TestServer.start({ repository: repository.path, env });
  if (!server.isUp) throw new Error(`the server did not come up:\n${server.told}`);
  running.push(server);
  return server;
}

async function stopped(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.stop()));
}

function farRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'counts', { code: COUNTS, config: `${DECLARED} ${DECOUPLED}` });
  scriptModel(repository, 'once', { body: 'return requests.map(() => y(7));' });
  return repository;
}

/** Configurations by name, and `neg` of ONNX. */
function frontRepository(models: Readonly<Record<string, string>>): TemporaryRepository {
  const repository = new TemporaryRepository();
  const value = (name: string) => ({ name, type: ONNX_TYPE.FLOAT, shape: ['batch', 1] });
  const nodes = [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }];
  const negated = { inputs: [value('x')], outputs: [value('y')], nodes };
  repository.model('neg', negated, 'max_batch_size: 8');
  for (const [name, config] of Object.entries(models)) {
    repository.write(`${name}/config.pbtxt`, config);
    repository.write(`${name}/1/.keep`, '');
  }
  return repository;
}

const ENSEMBLE = `platform: "ensemble" max_batch_size: 1 ${DECOUPLED} ${ONE_NUMBER}
  ensemble_scheduling { step [
    { model_name: "far" input_map { key: "x" value: "x" } output_map { key: "y" value: "t" } },
    { model_name: "neg" input_map { key: "x" value: "t" } output_map { key: "y" value: "y" } } ] }`;

const addressesOf = (...servers: TestServer[]): string =>
  servers.map(({ ports }) => `127.0.0.1:${ports.grpc!}`).join(',');

async function answersTo(server: TestServer, model: string, x: number): Promise<string[]> {
  const client = new InferdClient({ addresses: [addressesOf(server)] });
  const stream = await client.stream();
  await stream.send(model, { x: { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(x) } });
  stream.end();
  const told: string[] = [];
  for await (const answer of stream) told.push(textOf(answer));
  client.close();
  return told;
}

/** Without the sign of zero. */
function textOf({ error, result }: StreamAnswer): string {
  return error?.details ?? String(Number(result?.outputs['y']?.data[0]) + 0);
}

const numbers = (length: number, sign = 1): string[] =>
  Array.from({ length }, (_, at) => String(sign * at + 0));

async function figure(server: TestServer, name: string): Promise<number> {
  return (await scrape(server)).get(`${name}{model="counts",version="1"}`) ?? 0;
}

describe('a decoupled remote model', () => {
  let far: TestServer;
  let front: TestServer;
  let client: TestClient;

  beforeAll(async () => {
    far = await started(farRepository());
    const endpoints = addressesOf(far);
    front = await started(
      frontRepository({
        far: remoteConfig({ endpoints, model: 'counts' }, `${DECLARED} ${DECOUPLED}`),
        asked: remoteConfig({ endpoints, model: 'counts' }),
        limited: remoteConfig(
          { endpoints, model: 'counts' },
          'resilience { timeout_microseconds: 3000000 circuit_breaker { } }',
        ),
        mistaken: remoteConfig({ endpoints, model: 'counts' }, DECLARED),
        once: remoteConfig({ endpoints }, `${DECLARED} ${DECOUPLED}`),
        each: ENSEMBLE,
      }),
    );
    client = new TestClient(front.ports.grpc);
  });
  afterAll(async () => {
    client.close();
    await stopped();
  });

  it.each([
    ['declared as such', 'far', 1],
    ['that is so by what its endpoint says', 'asked', 1],
    ['with policies', 'limited', 1],
    ['in an ensemble', 'each', -1],
  ])('gives all answers in their order: %s', async (_what, model, sign) => {
    expect(await answersTo(front, model, 1_000)).toEqual(numbers(1_000, sign));
    expect(await answersTo(front, model, 0)).toEqual([]);
  });

  it('tells what went wrong behind what was answered before', async () => {
    const answers = await answersTo(front, 'far', 13);

    expect(answers.slice(0, 3)).toEqual(['0', '1', '2']);
    expect(answers.slice(3)).toEqual([expect.stringMatching(/thirteen/)]);
    const { model_stats } = await client.call('ModelStatistics', { name: 'far' });
    const [{ inference_stats }] = model_stats as [{ inference_stats: { fail: Message } }];
    expect(inference_stats.fail['count']).toBe(0);
  });

  it('may be one that answers once there', async () => {
    expect(await answersTo(front, 'once', 1)).toEqual(['7']);
  });

  it('is asked over streams only, here and there', async () => {
    const ask = (model: string): Promise<string> =>
      failureOf(client.infer(inferRequest(model, [fp32('x', [1, 1], [1])])));

    expect(await ask('far')).toMatch(/^12: .*decoupled/);
    expect(await ask('mistaken')).toMatch(/^12: endpoint '.+' of model 'mistaken': .*decoupled/);
  });

  it('keeps the deadline, and tells the endpoint', async () => {
    const before = await figure(far, 'ended');

    const answers = await answersTo(front, 'limited', -1);

    expect(answers.at(-1)).toMatch(/did not answer within 3000 ms|Deadline exceeded/);
    await vi.waitFor(async () => expect(await figure(far, 'ended')).toBe(before + 1), 10_000);
  });

  it('stands still there while nobody reads here, in nobody’s way, and ends with its reader', async () => {
    const before = await figure(far, 'ended');
    const made = (): Promise<number> => figure(far, 'made');
    const stream = unreadStream(front, 'far', -1);
    let held = -1;
    await vi.waitFor(
      async () => {
        const last = held;
        held = await made();
        expect(held).toBe(last);
      },
      { timeout: 30_000, interval: 2_000 },
    );
    // On the same connection.
    expect(await answersTo(front, 'far', 100)).toEqual(numbers(100));

    stream.resume();
    await vi.waitFor(async () => expect(await made()).toBeGreaterThan(held + 100_000), 20_000);
    stream.close();

    await vi.waitFor(async () => expect(await figure(far, 'ended')).toBe(before + 2), 10_000);
  }, 60_000);
});

describe('endpoints of a decoupled remote model', () => {
  afterEach(stopped);

  /** The one that makes answers. */
  const busy = (...servers: readonly TestServer[]): Promise<TestServer> =>
    vi.waitFor(async () => {
      const made = await Promise.all(servers.map((server) => figure(server, 'made')));
      expect(Math.max(...made)).toBeGreaterThan(0);
      return servers[made.findIndex((count) => count > 0)]!;
    }, 20_000);

  it('that die in mid-stream say so, and others take over', async () => {
    const [one, other] = [await started(farRepository()), await started(farRepository())];
    const config = remoteConfig({ endpoints: addressesOf(one, other), model: 'counts' });
    const front = await started(frontRepository({ far: config }));
    const client = new InferdClient({ addresses: [addressesOf(front)] });
    const stream = await client.stream();
    const x = { datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(-1) };

    await stream.send('far', { x });
    const told: StreamAnswer[] = [];
    for await (const answer of stream) {
      told.push(answer);
      if (told.length === 10) (await busy(one, other)).signal('SIGKILL');
      if (answer.error) stream.end();
    }
    client.close();
    const next = [await answersTo(front, 'far', 3), await answersTo(front, 'far', 3)];

    const texts = told.map(textOf);
    expect(texts.slice(0, -1)).toEqual(numbers(texts.length - 1));
    expect(texts.at(-1)).toMatch(/^endpoint '127.0.0.1:\d+' of model 'far': \S/);
    expect(next).toEqual([numbers(3), numbers(3)]);
  });
});

describe('the trace of a request that goes on to another server', () => {
  const SERVER_SPAN = 'inference.GRPCInferenceService/ModelInfer';
  const ID = '0af7651916cd43dd8448eb211c80319c';
  const CALLER = 'b7ad6b7169203331';
  afterEach(stopped);

  /** Spans of both servers, by the request's id, when all have been sent. */
  async function spansOf(
    ask: (client: TestClient) => Promise<void>,
    frontTraces: boolean,
  ): Promise<readonly ReceivedSpan[]> {
    const receiver = await OtlpReceiver.start();
    const traced = (OTEL_SERVICE_NAME: string): Record<string, string> => ({
      ...{ OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    });
    const far = await started(farRepository(), traced('far'));
    const endpoints = addressesOf(far);
    const repository = frontRepository({
      far: remoteConfig({ endpoints, model: 'counts' }),
      once: remoteConfig({ endpoints }),
      retried: remoteConfig({ endpoints, model: 'once' }, 'resilience { retry { } }'),
      each: ENSEMBLE,
    });
    const front = await started(repository, frontTraces ? traced('front') : {});
    const client = new TestClient(front.ports.grpc);
    await ask(client);
    for (const model of ['each']) expect(await answersTo(front, model, 3)).toEqual(numbers(3, -1));
    client.close();
    await stopped();
    await receiver.stop();
    return receiver.spans;
  }
  const asked = (model: string, id: string): Message =>
    inferRequest(model, [fp32('x', [1, 1], [1])], { id });
  const of = (spans: readonly ReceivedSpan[], service: string, id: string): ReceivedSpan =>
    spans.find(
      ({ attributes, name, service: by }) =>
        by === service && name === SERVER_SPAN && attributes['inferd.request.id'] === id,
    )!;

  it('has spans of both, each within the one that it was asked for', async () => {
    const spans = await spansOf(async (client) => {
      await client.infer(asked('once', 'root'));
      await client.infer(asked('retried', 'leg'));
      const metadata = { traceparent: `00-${ID}-${CALLER}-01` };
      await client.infer(asked('once', 'called'), { metadata });
    }, true);
    const within = (inner: ReceivedSpan, outer: ReceivedSpan): void => {
      expect([inner.traceId, inner.parentId]).toEqual([outer.traceId, outer.spanId]);
    };

    within(of(spans, 'far', 'root'), of(spans, 'front', 'root'));
    const attempt = spans.find(({ name }) => name === 'attempt 1')!;
    within(attempt, of(spans, 'front', 'leg'));
    within(of(spans, 'far', 'leg'), attempt);
    expect(of(spans, 'front', 'called')).toMatchObject({ traceId: ID, parentId: CALLER });
    within(of(spans, 'far', 'called'), of(spans, 'front', 'called'));
    // The stream of the ensemble.
    const step = spans.find(({ name }) => name === 'step 0')!;
    const inEnsemble = spans.find(({ service, parentId }) => {
      return service === 'far' && parentId === step.spanId;
    });
    expect(inEnsemble).toMatchObject({ traceId: step.traceId, name: SERVER_SPAN });
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(4);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it('goes through a server that does not trace, as its caller wants it', async () => {
    const spans = await spansOf(async (client) => {
      for (const [id, flags] of [
        ['wanted', '01'],
        ['unwanted', '00'],
      ] as const)
        await client.infer(asked('once', id), {
          metadata: { traceparent: `00-${ID}-${CALLER}-${flags}` },
        });
    }, false);

    expect(of(spans, 'far', 'wanted')).toMatchObject({ traceId: ID, parentId: CALLER });
    expect(of(spans, 'far', 'unwanted')).toBeUndefined();
    expect(spans.map(({ service }) => service)).not.toContain('front');
  });
});
