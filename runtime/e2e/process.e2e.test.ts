// The process as an operator meets it: how it starts, what it says, how it ends.

import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { untilPending } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import {
  GOLDEN_MODELS,
  SAMPLE_MODELS,
  TemporaryRepository,
} from './harness/temporary-repository.js';
import { TestClient } from './harness/test-client.js';
import { TestServer, type TestServerOptions } from './harness/test-server.js';

const EMPTY = new TemporaryRepository();
const SLOW = new TemporaryRepository();
// It takes most of a second, and one request at a time.
SLOW.copy(join(GOLDEN_MODELS, 'repo_batching/slow_graceful'), 'slow_graceful');
const ENDLESS = new TemporaryRepository();
const SIDE = 3000;
ENDLESS.model('endless', {
  inputs: [{ name: 'X', type: ONNX_TYPE.FLOAT, shape: [1] }],
  outputs: [{ name: 'y0', type: ONNX_TYPE.FLOAT, shape: [SIDE, SIDE] }],
  initializers: [
    {
      name: 'shape',
      type: ONNX_TYPE.INT64,
      shape: [2],
      data: new Uint8Array(BigInt64Array.from([BigInt(SIDE), BigInt(SIDE)]).buffer),
    },
  ],
  nodes: [
    { op: 'Expand', inputs: ['X', 'shape'], outputs: ['y100'] },
    ...Array.from({ length: 100 }, (_, i) => ({
      op: 'MatMul',
      inputs: [`y${100 - i}`, `y${100 - i}`],
      outputs: [`y${99 - i}`],
    })),
  ],
});
const HALF_BROKEN = new TemporaryRepository();
HALF_BROKEN.copy(join(GOLDEN_MODELS, 'repo_basic/add_sub'), 'good');
HALF_BROKEN.write('good/config.pbtxt', '');
HALF_BROKEN.write('broken/1/model.onnx', 'this is no model');
HALF_BROKEN.write('misspelt/1/model.onnx', '');
HALF_BROKEN.write('misspelt/config.pbtxt', 'max_batchsize: 4\ninput { dims: x }');

let server: TestServer | undefined;

afterEach(async () => {
  if (server?.isUp === true) await server.stop();
  server = undefined;
});

afterAll(() => [EMPTY, SLOW, ENDLESS, HALF_BROKEN].forEach((repository) => repository.remove()));

async function start(options: TestServerOptions): Promise<TestServer> {
  server = await TestServer.start(options);
  return server;
}

const messages = ({ log }: TestServer): string[] => log.map(({ msg }) => msg);

describe('a start', () => {
  it('says where it listens and how many models are ready', async () => {
    const started = await start({ repository: SAMPLE_MODELS });

    expect(started.isUp).toBe(true);
    const { grpc, http, metrics } = started.ports;
    expect(messages(started)).toEqual(
      expect.arrayContaining([
        `Started GRPCInferenceService at 0.0.0.0:${grpc}`,
        `Started HTTPService at 0.0.0.0:${http}`,
        `Started Metrics Service at 0.0.0.0:${metrics}`,
        'inferd 0.1.0 is up with 6 of 6 model versions; Ctrl-C ends it',
      ]),
    );
    expect(started.log.every(({ level }) => level <= 30)).toBe(true);
  });

  it('takes flags from the environment', async () => {
    const started = await start({
      repository: SAMPLE_MODELS,
      env: { INFERD_ALLOW_METRICS: 'false', INFERD_ID: 'of-the-environment' },
    });

    const client = new TestClient(started.ports.grpc);
    expect(started.ports.metrics).toBeUndefined();
    expect(await client.call('ServerMetadata')).toMatchObject({ name: 'of-the-environment' });
    client.close();
  });

  it('warns of flags without effect and goes on', async () => {
    const started = await start({
      repository: SAMPLE_MODELS,
      flags: ['--pinned-memory-pool-byte-size=1', '--http-thread-count', '4'],
    });

    const warnings = started.log.filter(({ level }) => level === 40);
    expect(warnings.map(({ msg }) => msg)).toEqual([
      '--http-thread-count has no effect: there is one event loop',
      '--pinned-memory-pool-byte-size has no effect: ONNX Runtime manages its memory',
    ]);
  });

  it('ends with 1 and every problem when a model cannot be loaded', async () => {
    const started = await start({ repository: HALF_BROKEN.path });

    expect(await started.exited).toBe(1);
    const errors = started.told;
    expect(errors).toContain('config.pbtxt:1:1: max_batchsize: message ModelConfig has no field');
    expect(errors).toContain('config.pbtxt:2:15: input[0].dims[0]: ');
    expect(errors).toContain('broken');
    expect(errors).toContain('--exit-on-error=false starts without what fails');
  });

  it('serves what it can with --exit-on-error=false, and is not ready', async () => {
    const started = await start({ repository: HALF_BROKEN.path, flags: ['--exit-on-error=false'] });
    const client = new TestClient(started.ports.grpc);

    expect(await client.call('ServerReady')).toEqual({ ready: false });
    const x = fp32('INPUT0', [1, 4], [1, 2, 3, 4]);
    const answer = await client.infer(inferRequest('good', [x, { ...x, name: 'INPUT1' }]));
    expect(fp32Output(answer, 'OUTPUT0')).toEqual([2, 4, 6, 8]);
    client.close();
  });

  it('serves an empty repository', async () => {
    const started = await start({ repository: EMPTY.path });

    expect(messages(started).at(-1)).toContain('is up with 0 of 0 model versions');
  });

  it.each([
    ['a flag that does not exist', ['--no-such-flag'], '--no-such-flag'],
    ['a value of the wrong kind', ['--grpc-port=many'], '--grpc-port'],
    ['a certificate that is not there', ['--grpc-use-ssl=true', '--grpc-server-cert=/no'], '/no'],
  ])('ends with 1 and one line at %s', async (_what, flags, named) => {
    const started = await start({ repository: SAMPLE_MODELS, flags });

    expect(await started.exited).toBe(1);
    expect(started.told).toContain(named);
  });

  it('ends with 1 when a port is taken, and says which', async () => {
    const first = await start({ repository: EMPTY.path });
    const port = `--grpc-port=${first.ports.grpc}`;
    const second = await TestServer.start({ repository: EMPTY.path, flags: [port] });

    expect(await second.exited).toBe(1);
    expect(second.told).toContain(String(first.ports.grpc));
  });

  it('ends with 1 when there is no repository', async () => {
    const started = await start({ repository: '/no/such/directory' });

    expect(await started.exited).toBe(1);
    expect(started.told).toContain('/no/such/directory');
  });
});

describe('the end', () => {
  /** Two requests of which one executes and one waits. */
  async function busy(flags: readonly string[] = []): Promise<[TestServer, Promise<string>[]]> {
    const started = await start({ repository: SLOW.path, flags });
    const client = new TestClient(started.ports.grpc);
    const outcomes = [1, 2].map(() =>
      client.infer(inferRequest('slow_graceful', [fp32('INPUT0', [1, 2], [1, 2])])).then(
        () => 'answered',
        () => 'lost',
      ),
    );
    void Promise.all(outcomes).then(() => client.close());
    await untilPending(started, 'slow_graceful', 1);
    return [started, outcomes];
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('by %s waits for requests under way', async (signal) => {
    const [started, outcomes] = await busy();

    started.signal(signal);

    expect(await Promise.all(outcomes)).toEqual(['answered', 'answered']);
    expect(await started.exited).toBe(0);
    expect(messages(started).at(-1)).toBe('goodbye');
  });

  it('comes at once at the second signal', async () => {
    const [started, outcomes] = await busy();

    started.signal('SIGINT');
    await started.logged(/finishing the requests/);
    while (started.isUp) {
      started.signal('SIGINT');
      await new Promise(setImmediate);
    }

    expect(await Promise.all(outcomes)).toEqual(['lost', 'lost']);
    expect(await started.exited).toBe('SIGINT');
  });

  it('waits for requests when a signal comes twice in a moment, as npm sends them', async () => {
    const [started, outcomes] = await busy();

    started.signal('SIGINT');
    await started.logged(/finishing the requests/);
    started.signal('SIGINT');

    expect(await Promise.all(outcomes)).toEqual(['answered', 'answered']);
    expect(await started.exited).toBe(0);
  });

  it('cuts off what is under way when --exit-timeout-secs are over', async () => {
    const [started, outcomes] = await busy(['--exit-timeout-secs=0']);

    started.signal('SIGTERM');

    expect(await Promise.all(outcomes)).toEqual(['lost', 'lost']);
    expect(await started.exited).toBe(0);
    expect(started.told).toContain('requests were still under way after 0 s');
  });

  it('comes in the end even under a model that goes on and on', async () => {
    const started = await start({ repository: ENDLESS.path, flags: ['--exit-timeout-secs=0'] });
    const client = new TestClient(started.ports.grpc);
    const x = fp32('X', [1], [1]);
    const outcomes = [1, 2, 3].map(() =>
      client.infer(inferRequest('endless', [x])).then(String, String),
    );
    await untilPending(started, 'endless', 1);

    started.signal('SIGTERM');

    expect(await started.exited).toBe('SIGKILL');
    expect(messages(started).at(-1)).toContain('a model is still computing');
    await Promise.all(outcomes);
    client.close();
  });

  it('is told at once, and comes when --drain-delay is over', async () => {
    const started = await start({
      repository: SLOW.path,
      flags: ['--drain-delay=2', '--strict-readiness=false'],
    });
    const client = new TestClient(started.ports.grpc);
    const health = `http://localhost:${started.ports.http!}/v2/health`;
    const watched: unknown[] = [];
    const watch = client.watch('slow_graceful').on('data', ({ status }) => watched.push(status));
    const watchEnded = new Promise((resolve) => watch.on('end', resolve));
    await client.call('ServerReady');

    started.signal('SIGTERM');
    await started.logged(/not ready from now on/);

    const late = new TestClient(started.ports.grpc);
    const asked = late.infer(inferRequest('slow_graceful', [fp32('INPUT0', [1, 2], [1, 2])]));
    expect(await client.call('ServerReady')).toEqual({ ready: false });
    expect(await client.call('ServerLive')).toEqual({ live: true });
    expect(await client.health('Check', { service: '' })).toEqual({ status: 'NOT_SERVING' });
    expect(await client.health('Check', { service: 'inferd/live' })).toEqual({ status: 'SERVING' });
    expect((await fetch(`${health}/ready`)).status).toBe(503);
    expect((await fetch(`${health}/live`)).status).toBe(200);
    expect(fp32Output(await asked, 'OUTPUT0')).toEqual([1, 2]);
    await watchEnded;
    expect(watched).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await started.exited).toBe(0);
    client.close();
    late.close();
  });

  it('does not wait for those who watch health', async () => {
    const started = await start({ repository: EMPTY.path, flags: ['--exit-timeout-secs=600'] });
    const client = new TestClient(started.ports.grpc);
    const watch = client.watch('');
    const statuses: unknown[] = [];
    const ended = new Promise((resolve) => watch.on('end', resolve));
    await new Promise<void>((resolve) =>
      watch.on('data', ({ status }) => {
        statuses.push(status);
        resolve();
      }),
    );

    started.signal('SIGTERM');
    await ended;

    expect(statuses).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await started.exited).toBe(0);
    client.close();
  });
});
