// gRPC as clients use it: TLS, secrets, health, reflection, large messages, deadlines and cancellation.

import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wireBytes } from '../worker/protobuf-wire.js';
import { scrape, untilPending } from './harness/metrics.js';
import { fp32, inferRequest, rawOutput } from './harness/requests.js';
import {
  GOLDEN_MODELS,
  SAMPLE_MODELS,
  TemporaryRepository,
} from './harness/temporary-repository.js';
import { serving } from './harness/serving.js';
import { TestClient, executions, type Message } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const statusOf = (error: ServiceError): [string, string] => [status[error.code], error.details];
const failure = (call: Promise<Message>): Promise<[string, string]> =>
  call.then(() => ['OK', ''], statusOf);

describe('one server', () => {
  const repository = new TemporaryRepository();
  repository.copy(join(GOLDEN_MODELS, 'repo_basic/id_fp32'), 'id_fp32');
  repository.copy(join(GOLDEN_MODELS, 'repo_batching/slow_graceful'), 'slow_graceful');
  const here = serving(repository, ['--model-control-mode=explicit', '--load-model=*']);

  it('carries messages of any size', async () => {
    const raw = Buffer.alloc(64 * 2 ** 20);
    for (let at = 0; at < raw.length; at += 4096) raw.writeFloatLE(at, at);
    const tensor = { name: 'INPUT0', datatype: 'FP32', shape: [1, raw.length / 4], raw };

    const answer = await here.client.infer(inferRequest('id_fp32', [tensor]));

    expect(rawOutput(answer, 'OUTPUT0').equals(raw)).toBe(true);
  });

  it('names what it does not do', async () => {
    const [code, text] = await failure(here.client.call('CudaSharedMemoryRegister', { name: 'r' }));

    expect(code).toBe('UNIMPLEMENTED');
    expect(text).toMatch(/^[A-Za-z].{20,}/);
  });

  it('describes itself to those who have no .proto', async () => {
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const same = (bytes: Buffer): Buffer => bytes;
    const stranger = new Client(
      `localhost:${here.server.ports.grpc}`,
      credentials.createInsecure(),
    );
    const call = stranger.makeBidiStreamRequest(path, same, same);
    const listServices = 7;

    const answer = new Promise<Buffer>((resolve, reject) => {
      call.on('data', resolve);
      call.on('error', reject);
    });
    call.write(wireBytes(listServices, '*'));

    const names = (await answer).toString('latin1');
    expect(names).toContain('inference.GRPCInferenceService');
    expect(names).toContain('grpc.health.v1.Health');
    call.end();
    stranger.close();
  });

  it('tells those who watch of every change', async () => {
    const seen: Record<string, string[]> = { id_fp32: [], stranger: [] };
    const watches = Object.entries(seen).map(([service, statuses]) => {
      const watch = here.client.watch(service);
      watch.on('data', (message: Message) => statuses.push(String(message['status'])));
      watch.on('error', () => undefined);
      return watch;
    });
    await until(() => Object.values(seen).every(({ length }) => length === 1));

    await here.client.call('RepositoryModelUnload', { model_name: 'id_fp32' });
    await until(() => seen['id_fp32']!.length === 2);
    await here.client.call('RepositoryModelLoad', { model_name: 'id_fp32' });
    await until(() => seen['id_fp32']!.length === 3);

    expect(seen).toEqual({
      id_fp32: ['SERVING', 'NOT_SERVING', 'SERVING'],
      stranger: ['SERVICE_UNKNOWN'],
    });
    watches.forEach((watch) => watch.cancel());
  });

  describe('while the only instance is busy', () => {
    /** Batches of a second each: long enough for what must happen meanwhile. */
    const BUSY = 3;
    const request = inferRequest('slow_graceful', [fp32('INPUT0', [1, 2], [1, 2])]);

    /** What keeps the instance busy for a while, and has begun to. */
    async function busyInstance(): Promise<{ busy: Promise<unknown> }> {
      const busy = Promise.all(Array.from({ length: BUSY }, () => here.client.infer(request)));
      await untilPending(here.server, 'slow_graceful', 1);
      return { busy };
    }

    /** What this client has sent before: one connection is read in order. */
    async function arrived(client: TestClient): Promise<void> {
      await client.call('ServerLive');
    }

    async function executed(): Promise<number> {
      const [, count] = (await executions(here.client, 'slow_graceful'))[0] ?? [1, 0];
      return count;
    }

    it('forgets a request whose deadline is over', async () => {
      const before = await executed();
      const { busy } = await busyInstance();

      const late = failure(here.client.infer(request, { deadline: Date.now() + 300 }));

      expect((await late)[0]).toBe('DEADLINE_EXCEEDED');
      await busy;
      expect(await executed()).toBe(before + BUSY);
    });

    it('forgets a request that is cancelled', async () => {
      const before = await executed();
      const { busy } = await busyInstance();
      const cancelled = here.client.start('ModelInfer', request);
      await arrived(here.client);

      cancelled.cancel();

      expect((await failure(cancelled.answer))[0]).toBe('CANCELLED');
      await busy;
      expect(await executed()).toBe(before + BUSY);
    });

    it('forgets the requests of a client that is gone', async () => {
      const before = await executed();
      const { busy } = await busyInstance();
      const leaving = new TestClient(here.server.ports.grpc);
      const call = leaving.start('ModelInfer', request);
      await arrived(leaving);

      call.answer.catch(() => undefined);
      call.cancel();
      leaving.close();

      await busy;
      expect(await executed()).toBe(before + BUSY);
    });

    it('counts what was forgotten', async () => {
      const metrics = await scrape(here.server);
      const failures = (reason: string): number =>
        metrics.get(
          `nv_inference_request_failure{model="slow_graceful",reason="${reason}",version="1"}`,
        ) ?? NaN;

      // At a deadline both sides act; the server may hear of the client's before it comes to its own.
      expect(failures('REJECTED') + failures('CANCELED')).toBe(3);
    });
  });
});

it('refuses calls without the secret of their category', async () => {
  const flags = ['--grpc-restricted-protocol=model-repository,statistics:admin-key=open sesame'];
  const server = await TestServer.start({ repository: SAMPLE_MODELS, flags });
  const client = new TestClient(server.ports.grpc);
  const index = (secret?: string): Promise<[string, string]> =>
    failure(
      client.call(
        'RepositoryIndex',
        {},
        secret === undefined ? {} : { metadata: { 'triton-grpc-protocol-admin-key': secret } },
      ),
    );

  expect(await index()).toEqual([
    'UNAVAILABLE',
    "This protocol is restricted, expecting header 'triton-grpc-protocol-admin-key'",
  ]);
  expect((await index('close sesame'))[0]).toBe('UNAVAILABLE');
  expect(await index('open sesame')).toEqual(['OK', '']);
  expect(await client.call('ServerLive')).toEqual({ live: true });
  client.close();
  await server.stop();
});

describe('over TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'inferd-tls-'));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  let flags: string[];
  let root: Buffer;
  let mine: { private: string; cert: string };

  beforeAll(async () => {
    const name = [{ name: 'commonName', value: 'localhost' }];
    const server = await generate(name, { keySize: 2048 });
    mine = await generate([{ name: 'commonName', value: 'client' }], { keySize: 2048 });
    root = Buffer.from(server.cert);
    flags = [
      `--grpc-server-cert=${file('server.crt', server.cert)}`,
      `--grpc-server-key=${file('server.key', server.private)}`,
      `--grpc-root-cert=${file('clients.crt', mine.cert)}`,
    ];
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  async function isLive(mode: string, channel: 'plain' | 'tls' | 'mutual'): Promise<string> {
    const server = await TestServer.start({ repository: SAMPLE_MODELS, flags: [...flags, mode] });
    const channels = {
      plain: credentials.createInsecure(),
      tls: credentials.createSsl(root),
      mutual: credentials.createSsl(root, Buffer.from(mine.private), Buffer.from(mine.cert)),
    };
    const client = new TestClient(server.ports.grpc, { channel: channels[channel] });
    const [code] = await failure(client.call('ServerLive', {}, { deadline: Date.now() + 10_000 }));
    client.close();
    await server.stop();
    return code;
  }

  it.each([
    ['--grpc-use-ssl=true', 'tls', 'OK'],
    ['--grpc-use-ssl=true', 'plain', 'UNAVAILABLE'],
    ['--grpc-use-ssl-mutual=true', 'mutual', 'OK'],
    ['--grpc-use-ssl-mutual=true', 'tls', 'UNAVAILABLE'],
  ] as const)('with %s a %s client gets %s', async (mode, channel, code) => {
    expect(await isLive(mode, channel)).toBe(code);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
