// The response cache over real sockets: in the process, and in a Redis that two servers share and that fails them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONNX_TYPE, onnxModel, type OnnxGraph } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { HAS_REDIS, RedisProcess } from './harness/redis-process.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { TestClient, type Message } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

/** y = x + value. */
function adding(value: number): OnnxGraph {
  const data = new Uint8Array(Float32Array.from([value]).buffer);
  return {
    inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: ['n', 1] }],
    outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: ['n', 1] }],
    initializers: [{ name: 'value', type: ONNX_TYPE.FLOAT, shape: [1], data }],
    nodes: [{ op: 'Add', inputs: ['x', 'value'], outputs: ['y'] }],
  };
}

const CACHED = 'response_cache { enable: true }';

function repositoryWith(value: number): TemporaryRepository {
  const repository = new TemporaryRepository();
  repository.model('cached', adding(value), CACHED);
  repository.model('plain', adding(value));
  return repository;
}

function request(x: number, more: Message = {}): Message {
  return inferRequest('cached', [fp32('x', [1, 1], [x])], more);
}

async function ask(client: TestClient, x: number): Promise<number> {
  return fp32Output(await client.infer(request(x)), 'y')[0]!;
}

async function counted(server: TestServer): Promise<{ hits: number; misses: number }> {
  const all = await scrape(server);
  const of = (name: string): number => all.get(`${name}{model="cached",version="1"}`)!;
  return { hits: of('nv_cache_num_hits_per_model'), misses: of('nv_cache_num_misses_per_model') };
}

describe('a server with a response cache of its own', () => {
  const repository = repositoryWith(1);
  const here = serving(repository, [
    '--cache-config=local,size=100000',
    '--model-control-mode=explicit',
    '--load-model=*',
  ]);

  it('answers again with the id of each request', async () => {
    const answers = [];
    for (const id of ['a', 'b', 'c']) answers.push(await here.client.infer(request(5, { id })));

    expect(answers.map(({ id }) => id as string)).toEqual(['a', 'b', 'c']);
    expect(answers.map((answer) => fp32Output(answer, 'y'))).toEqual([[6], [6], [6]]);
    expect(await counted(here.server)).toEqual({ hits: 2, misses: 1 });
  });

  it('tells of hits in timings and shows what it holds', async () => {
    const parameters = { inferd_timings: { bool_param: true } };

    const { parameters: told } = await here.client.infer(request(5, { parameters }));
    const all = await scrape(here.server);

    expect(told).toMatchObject({ batch_size: { int64_param: 0 }, queue_us: { int64_param: 0 } });
    expect(all.get('inferd_response_cache_entries')).toBe(1);
    expect(all.get('inferd_response_cache_bytes')).toBeGreaterThan(4);
    expect(all.has('nv_cache_num_hits_per_model{model="plain",version="1"}')).toBe(false);
  });

  it('answers as a model without a cache does, with room for little', async () => {
    const asked = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 300);

    const answers = await Promise.all(asked.map((x) => ask(here.client, x)));

    expect(answers).toEqual(asked.map((x) => x + 1));
    expect((await scrape(here.server)).get('inferd_response_cache_bytes')).toBeLessThanOrEqual(
      100_000,
    );
  });

  it('serves no old answers after files have changed, and those of before when they are back', async () => {
    const model = (value: number): void =>
      repository.write('cached/1/model.onnx', onnxModel(adding(value)));
    const load = (): Promise<Message> =>
      here.client.call('RepositoryModelLoad', { model_name: 'cached' });

    await ask(here.client, 5);
    model(100);
    await load();
    expect(await ask(here.client, 5)).toBe(105);
    model(1);
    await load();

    expect(await ask(here.client, 5)).toBe(6);
    expect(await counted(here.server)).toEqual({ hits: 1, misses: 0 });
  });
});

it('refuses a cache that it does not know, in one line', async () => {
  const repository = repositoryWith(1);
  const flags = ['--cache-config=disk,size=1'];

  const server = await TestServer.start({ repository: repository.path, flags });

  expect(await server.exited).toBe(1);
  expect(server.output).toEqual([
    "inferd: --cache-config takes local,size=BYTES or redis,host=HOST,port=PORT; got 'disk'",
  ]);
  repository.remove();
});

describe.skipIf(!HAS_REDIS)('two servers that share a Redis (needs /usr/bin/redis-server)', () => {
  const repositories = [repositoryWith(1), repositoryWith(1)];
  const servers: TestServer[] = [];
  const clients: TestClient[] = [];
  let redis: RedisProcess;

  beforeAll(async () => {
    redis = await RedisProcess.start();
    for (const { path } of repositories) {
      const flags = [`--cache-config=redis,host=127.0.0.1,port=${redis.port}`];
      const server = await TestServer.start({ repository: path, flags });
      servers.push(server);
      clients.push(new TestClient(server.ports.grpc));
    }
    for (let i = 0; i < servers.length; i++) await untilHit(i, 0);
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    for (const server of servers) await server.stop();
    await redis.end();
    for (const repository of repositories) repository.remove();
  });

  /** Resolves when the answer to x comes from Redis: it is connected, and what one asks the next one finds. */
  async function untilHit(i: number, x: number): Promise<void> {
    const { hits } = await counted(servers[i]!);
    do await ask(clients[i]!, x);
    while ((await counted(servers[i]!)).hits === hits);
  }

  /** Inferences one after the other, among them new ones, on both servers. */
  async function askMany(first: number): Promise<void> {
    for (let x = first; x < first + 50; x++)
      expect(await Promise.all(clients.map((client) => ask(client, x)))).toEqual([x + 1, x + 1]);
  }

  it('finds at one what the other was asked', async () => {
    const before = await counted(servers[1]!);

    // On a machine under load a lookup may be late, which is a miss: then with another one.
    for (let x = 7; (await counted(servers[1]!)).hits === before.hits; x++) {
      await untilHit(0, x);
      expect(await ask(clients[1]!, x)).toBe(x + 1);
    }
  });

  it.each([
    ['of another type', ['LPUSH', '1']],
    ['that is no answer', ['SET', 'nonsense']],
    ['that is huge', ['SETRANGE', String(64 * 2 ** 20), 'x']],
  ])('answers itself where there is something %s under the key', async (_, [command, ...value]) => {
    await untilHit(0, 9);
    for (const key of (await redis.ask('KEYS', 'inferd:response:*')).split('\n')) {
      await redis.ask('DEL', key);
      await redis.ask(command!, key, ...value);
    }

    for (let i = 0; i < 10; i++)
      expect(await Promise.all(clients.map((client) => ask(client, 9)))).toEqual([10, 10]);

    await redis.ask('FLUSHALL');
    await untilHit(0, 9);
    expect(servers.every(({ isUp }) => isUp)).toBe(true);
  });

  it('is not used by a server whose database it does not have', async () => {
    const flags = [`--cache-config=redis,host=127.0.0.1,port=${redis.port},db=9999`];
    const server = await TestServer.start({ repository: repositories[0]!.path, flags });
    const client = new TestClient(server.ports.grpc);

    await server.logged(/cannot be used: .*DB index is out of range; models run without it/);
    for (let i = 0; i < 10; i++) expect(await ask(client, 20)).toBe(21);

    expect((await counted(server)).hits).toBe(0);
    client.close();
    await server.stop();
  });

  it('answers everything while Redis stands still, and uses it when it goes on', async () => {
    redis.signal('SIGSTOP');
    await askMany(1000);
    redis.signal('SIGCONT');
    await untilHit(0, 1);

    for (const server of servers) await server.logged(/did not answer 5 lookups within 2 ms/);
    expect(servers.every(({ isUp }) => isUp)).toBe(true);
  });

  it('answers everything when Redis dies, and uses the next one at its place', async () => {
    const asking = askMany(2000);
    redis.signal('SIGKILL');
    await asking;
    await redis.end();
    await askMany(3000);
    for (const server of servers) await server.logged(/cannot be used: .*; models run without it/);

    redis = await RedisProcess.start(redis.port);
    for (const server of servers) await server.logged(/is in use again/);
    await untilHit(0, 2);
    await untilHit(1, 2);
  });
});
