// The TypeScript client, as it is built, against real servers.

import { InferdClient, classesOf, fromBfloat16, type InferResult } from 'inferd-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { identityRepository } from './harness/identity-repository.js';
import { serving } from './harness/serving.js';
import { SAMPLE_MODELS } from './harness/temporary-repository.js';
import { TestServer } from './harness/test-server.js';

function addressOf({ ports }: TestServer): string {
  return `127.0.0.1:${ports.grpc!}`;
}

/** A client for the tests of one describe block. */
function clientFor(served: { readonly server: TestServer }): { readonly client: InferdClient } {
  let client: InferdClient | undefined;
  beforeAll(() => {
    client = new InferdClient({ addresses: [addressOf(served.server)] });
  });
  afterAll(() => client?.close());
  return {
    get client() {
      return client!;
    },
  };
}

describe('inference with the TypeScript client', () => {
  const served = serving(identityRepository());
  const its = clientFor(served);

  it.each([
    ['BOOL', Uint8Array.of(1, 0)],
    ['UINT8', Uint8Array.of(0, 255)],
    ['UINT16', Uint16Array.of(0, 65535)],
    ['UINT32', Uint32Array.of(0, 4294967295)],
    ['UINT64', BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['INT8', Int8Array.of(-128, 127)],
    ['INT16', Int16Array.of(-32768, 32767)],
    ['INT32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['INT64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['FP16', Uint16Array.of(0x3c00, 0xfbff)],
    ['BF16', Uint16Array.of(0x3f80, 0xbf80)],
    ['FP32', Float32Array.of(0.5, -Infinity)],
    ['FP64', Float64Array.of(Math.PI, -0)],
    ['BYTES', ['héllo', '']],
  ] as const)('gives %s back as it went', async (datatype, data) => {
    const { outputs } = await its.client.infer(`identity_${datatype.toLowerCase()}`, {
      x: { datatype, shape: [1, 2], data },
    });

    expect(outputs['y']).toMatchObject({ datatype, shape: [1, 2] });
    expect(outputs['y']!.data).toEqual(data);
  });

  it('turns plain numbers into any datatype', async () => {
    const ask = (datatype: 'BF16' | 'INT64'): Promise<InferResult> =>
      its.client.infer(`identity_${datatype.toLowerCase()}`, {
        x: { datatype, data: [[1], [-2]] },
      });

    const bf16 = (await ask('BF16')).outputs['y']!;
    const int64 = (await ask('INT64')).outputs['y']!;

    expect([...fromBfloat16(bf16.data as Uint16Array)]).toEqual([1, -2]);
    expect([...int64.data]).toEqual([1n, -2n]);
  });

  it('returns the id, the model and who answered', async () => {
    const result = await its.client.infer(
      'identity_fp32',
      { x: { datatype: 'FP32', data: [[0.5]] } },
      { id: 'mine', version: 1, outputs: ['y'] },
    );

    expect(result).toMatchObject({
      id: 'mine',
      modelName: 'identity_fp32',
      modelVersion: '1',
      address: addressOf(served.server),
    });
  });

  it.each([
    ['nowhere', 'NOT_FOUND', /unknown model: 'nowhere'/],
    ['identity_int64', 'INVALID_ARGUMENT', /FP32/],
  ])('tells what is wrong with %s', async (model, code, text) => {
    const answer = its.client.infer(model, { x: new Float32Array(1) });

    await expect(answer).rejects.toMatchObject({
      name: 'InferdError',
      code,
      address: addressOf(served.server),
      message: expect.stringMatching(text) as string,
    });
  });
});

describe('the other calls of the TypeScript client', () => {
  const served = serving(SAMPLE_MODELS, ['--model-control-mode=explicit', '--load-model=digits']);
  const its = clientFor(served);

  it('know whether server and models are ready', async () => {
    expect(await its.client.isServerLive()).toBe(true);
    expect(await its.client.isServerReady()).toBe(true);
    expect(await its.client.isModelReady('digits')).toBe(true);
    expect(await its.client.isModelReady('spam_light')).toBe(false);
    expect(await its.client.health()).toBe('SERVING');
    expect(await its.client.health('digits')).toBe('SERVING');
  });

  it('describe server and model', async () => {
    expect(await its.client.serverMetadata()).toMatchObject({ name: 'inferd' });
    expect(await its.client.modelMetadata('digits')).toEqual({
      name: 'digits',
      versions: expect.arrayContaining(['1']) as string[],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 64] }],
      outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 10] }],
      properties: expect.any(Object) as object,
    });
    expect(await its.client.modelConfig('digits', { version: 1 })).toMatchObject({
      name: 'digits',
      input: [{ name: 'pixels', dataType: 'TYPE_FP32', dims: [64], optional: false }],
    });
  });

  it('give the best classes, with their labels', async () => {
    const pixels = { shape: [2, 64], data: new Float32Array(128) };

    const { outputs } = await its.client.infer(
      'digits',
      { pixels },
      { classification: { probabilities: 2 } },
    );

    const rows = classesOf(outputs['probabilities']!);
    expect(rows.map((row) => row.length)).toEqual([2, 2]);
    expect(rows[0]![0]!.score).toBeGreaterThanOrEqual(rows[0]![1]!.score);
  });

  it('count', async () => {
    await its.client.infer('digits', { pixels: { shape: [3, 64], data: new Float32Array(192) } });

    const [statistics] = await its.client.modelStatistics('digits');

    expect(statistics!.inferenceStats.success.count).toBeGreaterThan(0);
    expect(statistics!.inferenceCount).toBeGreaterThanOrEqual(3);
    expect(statistics!.batchStats[0]!.computeInfer.ns).toBeGreaterThan(0);
  });

  it('load and unload while a watch looks on', async () => {
    const seen: string[] = [];
    const watch = its.client.watchHealth('spam_light');
    seen.push((await watch.next()).value!);

    await its.client.loadModel('spam_light');
    seen.push((await watch.next()).value!);
    const ready = await its.client.repositoryIndex({ ready: true });
    await its.client.unloadModel('spam_light');
    seen.push((await watch.next()).value!);
    await watch.return();

    expect(new Set(ready.map(({ name, state }) => `${name} ${state}`))).toEqual(
      new Set(['digits READY', 'spam_light READY']),
    );
    expect(seen[1]).toBe('SERVING');
    expect([seen[0], seen[2]]).not.toContain('SERVING');
  });
});

describe('the TypeScript client with three servers', () => {
  const WORKERS = 32;
  const repository = identityRepository();
  let servers: TestServer[] = [];

  beforeAll(async () => {
    const start = (): Promise<TestServer> => TestServer.start({ repository: repository.path });
    servers = await Promise.all([start(), start(), start()]);
    for (const server of servers) if (!server.isUp) throw new Error(server.told);
  });

  afterAll(async () => {
    await Promise.all(servers.filter(({ isUp }) => isUp).map((server) => server.stop()));
    repository.remove();
  });

  const ask = (client: InferdClient): Promise<InferResult> =>
    client.infer('identity_fp32', { x: { shape: [1, 1], data: Float32Array.of(7) } });

  /** `count` requests, some at a time: who answered how many. */
  async function load(
    client: InferdClient,
    count: number,
    onAnswer: (done: number) => void = () => undefined,
  ): Promise<Map<string, number>> {
    const answers = new Map<string, number>();
    let sent = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      while (sent < count) {
        sent++;
        const { address, outputs } = await ask(client);
        expect([...outputs['y']!.data]).toEqual([7]);
        answers.set(address, (answers.get(address) ?? 0) + 1);
        onAnswer(++done);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    return answers;
  }

  async function untilAllAnswer(client: InferdClient): Promise<void> {
    while ((await load(client, 60)).size < servers.length);
  }

  afterEach(() => {
    for (const server of servers) server.signal('SIGCONT');
  });

  it('shares the load out evenly', async () => {
    const client = new InferdClient({ addresses: servers.map(addressOf) });
    await untilAllAnswer(client);

    const answers = await load(client, 300);
    client.close();

    expect([...answers.values()]).toEqual([100, 100, 100]);
  });

  it('asks another server when one does not answer', async () => {
    const [stuck] = servers as [TestServer];
    const addresses = servers.map(addressOf);
    const client = new InferdClient({
      addresses,
      hedge: { delayMs: 20, budgetPercent: 100 },
      deadlineMs: 60_000,
    });
    await untilAllAnswer(client);
    stuck.signal('SIGSTOP');

    const answers = await load(client, 60);
    client.close();

    expect(answers.has(addressOf(stuck))).toBe(false);
    expect([...answers.values()].reduce((sum, count) => sum + count)).toBe(60);
  });

  it('keeps the deadline when the server does not', async () => {
    const [stuck] = servers as [TestServer];
    const address = addressOf(stuck);
    const client = new InferdClient({ addresses: [address] });
    await ask(client);
    stuck.signal('SIGSTOP');

    const answer = client.modelMetadata('identity_fp32', { deadlineMs: 50 });

    await expect(answer).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', address });
    client.close();
  });

  it('loses no request when a server is killed under load', async () => {
    const client = new InferdClient({ addresses: servers.map(addressOf) });
    const killed = servers[2]!;
    let sinceKill = 0;

    const answers = await load(client, 3_000, (done) => {
      if (done === 1_000) killed.signal('SIGKILL');
      if (done > 1_000) sinceKill++;
    });
    await killed.exited;
    const after = await load(client, 100);
    client.close();

    expect([...answers.values()].reduce((sum, count) => sum + count)).toBe(3_000);
    expect(sinceKill).toBe(2_000);
    expect(answers.get(addressOf(killed))).toBeGreaterThan(200);
    expect(after.has(addressOf(killed))).toBe(false);
  });

  it('loses no request when a server is stopped under load', async () => {
    const client = new InferdClient({ addresses: servers.slice(0, 2).map(addressOf) });
    const stopped = servers[1]!;

    const answers = await load(client, 1_500, (done) => {
      if (done === 500) stopped.signal('SIGTERM');
    });
    client.close();

    expect([...answers.values()].reduce((sum, count) => sum + count)).toBe(1_500);
    expect(await stopped.exited).toBe(0);
  });
});
