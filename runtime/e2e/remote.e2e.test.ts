// Models that live in other servers: real servers as endpoints, and one in front of them.

import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remoteConfig as remote, remoteRepository } from './harness/remote-repository.js';
import { inferRequest, rawOutput, type RawTensor } from './harness/requests.js';
import { SAMPLE_MODELS } from './harness/temporary-repository.js';
import { identityRepository } from './harness/identity-repository.js';
import { TestClient, type Message } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const DECLARED = `max_batch_size: 8
  input { name: "x" data_type: TYPE_FP32 dims: [ -1 ] }
  output { name: "y" data_type: TYPE_FP32 dims: [ -1 ] }`;

async function started(repository: string, flags: readonly string[] = []): Promise<TestServer> {
  const server = await TestServer.start({ repository, flags });
  if (!server.isUp) throw new Error(`the server did not come up:\n${server.told}`);
  return server;
}

async function failure(answer: Promise<unknown>): Promise<{ code: number; details: string }> {
  try {
    await answer;
  } catch (error) {
    return error as { code: number; details: string };
  }
  throw new Error('it did not fail');
}

const ROW: RawTensor = {
  name: 'x',
  datatype: 'FP32',
  shape: [1, 2],
  raw: Buffer.from(Float32Array.of(1, 2).buffer),
};

describe('a remote model', () => {
  const identities = identityRepository();
  let endpoint: TestServer;
  let front: TestServer;
  let direct: TestClient;
  let client: TestClient;

  beforeAll(async () => {
    for (const name of ['spam_light', 'digits']) identities.copy(join(SAMPLE_MODELS, name), name);
    endpoint = await started(identities.path);
    const endpoints = `localhost:${endpoint.ports.grpc!}`;
    const repository = remoteRepository({
      identity_fp32: remote({ endpoints }),
      identity_bytes: remote({ endpoints }),
      identity_bf16: remote({ endpoints }),
      spam: remote({ endpoints, model: 'spam_light', version: '2' }),
      digits: remote({ endpoints }),
      declared: remote({ endpoints, model: 'identity_fp32' }, DECLARED),
      unreachable: remote({ endpoints: 'localhost:1' }, DECLARED),
      elsewhere: remote({ endpoints, model: 'no_such_model' }, DECLARED),
    });
    front = await started(repository.path);
    repository.remove();
    direct = new TestClient(endpoint.ports.grpc);
    client = new TestClient(front.ports.grpc);
  });

  afterAll(async () => {
    direct.close();
    client.close();
    await front.stop();
    await endpoint.stop();
    identities.remove();
  });

  const bytes = (...elements: string[]): Buffer =>
    Buffer.concat(
      elements.flatMap((element) => {
        const size = Buffer.alloc(4);
        size.writeUInt32LE(Buffer.byteLength(element));
        return [size, Buffer.from(element)];
      }),
    );

  it.each<[string, RawTensor]>([
    ['identity_fp32', ROW],
    ['identity_bytes', { ...ROW, datatype: 'BYTES', raw: bytes('one', 'zwei \u00e4') }],
    ['identity_bf16', { ...ROW, datatype: 'BF16', raw: Buffer.of(0x80, 0x3f, 0, 0x40) }],
  ])('answers as its endpoint does: %s', async (model, tensor) => {
    const request = inferRequest(model, [tensor], { id: 'seven' });

    const answer = await client.infer(request);

    expect(answer).toEqual(await direct.infer(request));
    expect(rawOutput(answer, 'y')).toEqual(tensor.raw);
  });

  it('is described as at its endpoint, without its instances', async () => {
    const [here, there] = await Promise.all(
      [client, direct].map((from) => from.call('ModelMetadata', { name: 'digits' })),
    );
    const { config } = (await client.call('ModelConfig', { name: 'digits' })) as {
      config: Message;
    };

    expect(here!['inputs']).toEqual(there!['inputs']);
    expect(here!['outputs']).toEqual(there!['outputs']);
    expect(here!['platform']).toBe('remote');
    expect(config['instance_group']).toEqual([]);
    expect(config['max_batch_size']).toBeGreaterThan(0);
  });

  it('has a name and a version of its own', async () => {
    const { inputs } = await client.call('ModelMetadata', { name: 'spam' });
    const [input] = inputs as [{ name: string }];
    const request = (model: string): Message =>
      inferRequest(model, [
        { name: input.name, datatype: 'BYTES', shape: [1, 1], raw: bytes('free prize, call now') },
      ]);

    const answer = await client.infer(request('spam'));

    expect(answer).toMatchObject({ model_name: 'spam', model_version: '1' });
    const there = await direct.infer({ ...request('spam_light'), model_version: '2' });
    expect(answer['raw_output_contents']).toEqual(there['raw_output_contents']);
  });

  it('tells what is wrong with a request as a server with the model would', async () => {
    const request = inferRequest('identity_fp32', [{ ...ROW, shape: [1, 3] }]);

    const [here, there] = await Promise.all(
      [client, direct].map((from) => failure(from.infer(request))),
    );

    expect(here).toMatchObject({ code: there!.code, details: there!.details });
  });

  it('counts rows, no queue, and the time at its endpoint', async () => {
    await client.infer(inferRequest('declared', [{ ...ROW, shape: [2, 1] }]));

    const { model_stats } = await client.call('ModelStatistics', { name: 'declared' });

    const [counted] = model_stats as [Message];
    expect(counted).toMatchObject({
      inference_count: 2,
      execution_count: 1,
      inference_stats: { success: { count: 1 }, queue: { count: 1, ns: 0 } },
    });
    const { compute_infer: there } = counted['inference_stats'] as { compute_infer: Message };
    expect(there['count']).toBe(1);
    expect(there['ns']).toBeGreaterThan(0);
  });

  it('loads without its endpoints where it declares its tensors, and fails with their names', async () => {
    const { code, details } = await failure(client.infer(inferRequest('unreachable', [ROW])));

    expect(code).toBe(14);
    expect(details).toContain("endpoint 'localhost:1' of model 'unreachable'");
  });

  it('says so when its endpoint does not know the model', async () => {
    const { code, details } = await failure(client.infer(inferRequest('elsewhere', [ROW])));

    expect(code).toBe(5);
    expect(details).toContain('no_such_model');
  });

  it('passes the deadline on, and what is left of it', async () => {
    const deadline = Date.now() - 1;

    expect(
      await failure(client.infer(inferRequest('declared', [ROW]), { deadline })),
    ).toMatchObject({ code: 4 });
  });
});

describe('a remote model over TLS', () => {
  it('answers where the names and the certificates fit, and knows its server otherwise', async () => {
    const server = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
    const mine = await generate([{ name: 'commonName', value: 'client' }], { keySize: 2048 });
    const identities = identityRepository();
    for (const [name, text] of [
      ['server.crt', server.cert],
      ['server.key', server.private],
      ['clients.crt', mine.cert],
    ] as const)
      identities.write(`files/${name}`, text);
    const at = (name: string): string => join(identities.path, 'files', name);
    const endpoint = await started(identities.path, [
      '--grpc-use-ssl-mutual=true',
      `--grpc-server-cert=${at('server.crt')}`,
      `--grpc-server-key=${at('server.key')}`,
      `--grpc-root-cert=${at('clients.crt')}`,
      '--exit-on-error=false',
    ]);
    const endpoints = `localhost:${endpoint.ports.grpc!}`;
    const known = { endpoints, tls_ca: 'ca.pem', model: 'identity_fp32' };
    const repository = remoteRepository({
      mutual: remote({ ...known, tls_cert: 'c.pem', tls_key: 'k.pem' }),
      stranger: remote(known, DECLARED),
      distrustful: remote({ endpoints, tls: 'true' }, DECLARED),
      other_name: remote({ ...known, tls_server_name: 'inferd.test' }, DECLARED),
    });
    for (const model of ['mutual', 'stranger', 'other_name']) {
      repository.write(`${model}/ca.pem`, server.cert);
      repository.write(`${model}/c.pem`, mine.cert);
      repository.write(`${model}/k.pem`, mine.private);
    }
    const front = await started(repository.path);
    const client = new TestClient(front.ports.grpc);

    const answer = await client.infer(inferRequest('mutual', [ROW]));
    const codes = await Promise.all(
      ['stranger', 'distrustful', 'other_name'].map(
        async (model) => (await failure(client.infer(inferRequest(model, [ROW])))).code,
      ),
    );

    expect(rawOutput(answer, 'y')).toEqual(ROW.raw);
    expect(codes).toEqual([14, 14, 14]);
    client.close();
    await front.stop();
    await endpoint.stop();
    repository.remove();
    identities.remove();
  });
});
