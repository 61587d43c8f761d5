import {
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { InferdClient } from './client.js';
import type { ClientOptions } from './client-options.js';
import type { InferStream, StreamAnswer } from './infer-stream.js';
import { InferdError } from './inferd-error.js';
import { decode, encode } from './messages.js';
import { smallServer, type Methods, type SmallServer } from './testing/small-server.js';

const SERVICE = '/inference.GRPCInferenceService';
const HEALTH = 'grpc.health.v1';

const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function serve(methods: Methods, port?: number): Promise<SmallServer> {
  const server = await smallServer(methods, port === undefined ? {} : { port });
  cleanUps.push(() => server.stop());
  return server;
}

function clientOf(options: ClientOptions): InferdClient {
  const client = new InferdClient(options);
  cleanUps.push(() => client.close());
  return client;
}

function streamAnswer(id: string, errorMessage = ''): Buffer {
  return encode('inference.ModelStreamInferResponse', {
    errorMessage,
    inferResponse: { modelName: 'm', id },
  });
}

function idOf(request: Buffer): string {
  return (decode('inference.ModelInferRequest', request) as { id: string }).id;
}

async function all(stream: InferStream): Promise<StreamAnswer[]> {
  const answers: StreamAnswer[] = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
}

/** Answers each request twice, and a request 'bad' with an error. */
function twice(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on('data', (request: Buffer) => {
    const id = idOf(request);
    if (id === 'bad') call.write(streamAnswer(id, 'no'));
    else for (let i = 0; i < 2; i++) call.write(streamAnswer(id));
  });
  call.on('end', () => call.end());
}

describe('a stream', () => {
  it('gives the answers as they come, and one error ends nothing', async () => {
    const { address } = await serve({ duplex: { [`${SERVICE}/ModelStreamInfer`]: twice } });
    const stream = await clientOf({ addresses: [address] }).stream();

    for (const id of ['a', 'bad', 'b']) await stream.send('m', { x: ['1'] }, { id });
    stream.end();
    const answers = await all(stream);

    expect(answers.map(({ id, error }) => error?.message ?? id)).toEqual([
      'a',
      'a',
      `no (UNKNOWN from ${address})`,
      'b',
      'b',
    ]);
    expect(answers[0]!.result).toMatchObject({ modelName: 'm', address });
  });

  it('is cancelled at the server when the reader stops', async () => {
    let cancelled: () => void = () => undefined;
    const isCancelled = new Promise<void>((resolve) => (cancelled = resolve));
    const { address } = await serve({
      duplex: {
        [`${SERVICE}/ModelStreamInfer`]: (call) => {
          call.on('cancelled', cancelled);
          twice(call);
        },
      },
    });
    const stream = await clientOf({ addresses: [address] }).stream();
    await stream.send('m', {}, { id: 'a' });

    for await (const { id } of stream) {
      expect(id).toBe('a');
      break;
    }

    await isCancelled;
  });

  it('ends with its signal', async () => {
    const { address } = await serve({ duplex: { [`${SERVICE}/ModelStreamInfer`]: twice } });
    const controller = new AbortController();
    const stream = await clientOf({ addresses: [address] }).stream({ signal: controller.signal });
    const read = all(stream);

    controller.abort(new Error('enough'));

    await expect(read).rejects.toMatchObject({ code: 'CANCELLED', cause: new Error('enough') });
  });

  it('that broke before anybody read it is no stream that ended', async () => {
    const { address } = await serve({
      duplex: {
        [`${SERVICE}/ModelStreamInfer`]: (call) =>
          call.emit('error', { code: status.INTERNAL, details: 'out of order' }),
      },
      unary: {
        [`${SERVICE}/ServerLive`]: (_call, done) =>
          done(null, encode('inference.ServerLiveResponse', { live: true })),
      },
    });
    const client = clientOf({ addresses: [address] });
    const stream = await client.stream();
    await stream.send('m', {}, {});
    // What the server says later comes later on the same connection.
    await client.isServerLive();

    const failure = { code: 'INTERNAL', details: 'out of order' };
    await expect(all(stream)).rejects.toMatchObject(failure);
    await expect(stream.send('m', {}, {})).rejects.toMatchObject(failure);
  });

  it('takes nothing more after its end', async () => {
    const { address } = await serve({ duplex: { [`${SERVICE}/ModelStreamInfer`]: twice } });
    const stream = await clientOf({ addresses: [address] }).stream();

    stream.end();

    await expect(stream.send('m', {}, {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('tells that the server knows no streams', async () => {
    const { address } = await serve({});
    const stream = await clientOf({ addresses: [address] }).stream();

    const read = all(stream);

    await expect(read).rejects.toMatchObject({ code: 'UNIMPLEMENTED', address });
  });

  it('tells that the server has gone', async () => {
    const server = await serve({ duplex: { [`${SERVICE}/ModelStreamInfer`]: twice } });
    const stream = await clientOf({ addresses: [server.address] }).stream();
    await stream.send('m', {}, { id: 'a' });
    const answers = stream[Symbol.asyncIterator]();
    await answers.next();
    await answers.next();

    server.stop();

    await expect(answers.next()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('watching health', () => {
  it('gives every change until the reader stops', async () => {
    const { address } = await serve({
      serverStream: {
        [`/${HEALTH}.Health/Watch`]: (call) => {
          for (const state of [2, 1])
            call.write(encode(`${HEALTH}.HealthCheckResponse`, { status: state }));
        },
      },
    });
    const seen: string[] = [];

    for await (const state of clientOf({ addresses: [address] }).watchHealth('m')) {
      seen.push(state);
      if (state === 'SERVING') break;
    }

    expect(seen).toEqual(['NOT_SERVING', 'SERVING']);
  });
});

describe('a call', () => {
  const live = encode('inference.ServerLiveResponse', { live: true });
  const ServerLive = `${SERVICE}/ServerLive`;

  it('carries metadata, of text and of bytes', async () => {
    const seen: unknown[] = [];
    const { address } = await serve({
      unary: {
        [ServerLive]: ({ metadata }: ServerUnaryCall<Buffer, Buffer>, done) => {
          seen.push(metadata.get('token'), metadata.get('blob-bin'));
          done(null, live);
        },
      },
    });
    const metadata = { token: 'x', 'blob-bin': Buffer.from([0, 255]) };

    await clientOf({ addresses: [address], metadata }).isServerLive();

    expect(seen).toEqual([['x'], [Buffer.from([0, 255])]]);
  });

  it('finds a server again that was away, without being told', async () => {
    const methods: Methods = { unary: { [ServerLive]: (_, done) => done(null, live) } };
    const first = await serve(methods);
    const client = clientOf({ addresses: [first.address], retries: 0 });
    await client.isServerLive();
    first.stop();
    await expect(client.isServerLive()).rejects.toMatchObject({ code: 'UNAVAILABLE' });

    await serve(methods, Number(first.address.split(':')[1]));
    let isBack = false;
    while (!isBack) isBack = await client.isServerLive().catch(() => false);

    expect(isBack).toBe(true);
  });

  it('that no server can take says why', async () => {
    const server = await serve({});
    server.stop();
    const { address } = server;
    const client = clientOf({ addresses: [address], retries: 0 });

    await expect(client.isServerLive()).rejects.toThrow(
      `ECONNREFUSED ${address}. (UNAVAILABLE from ${address})`,
    );
  });

  it('to a server that does not know it is UNIMPLEMENTED', async () => {
    const { address } = await serve({});
    const client = clientOf({ addresses: [address] });

    const error: unknown = await client.serverMetadata().catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(InferdError);
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', address });
  });

  it('fails once the client is closed', async () => {
    const client = clientOf({ addresses: ['127.0.0.1:1'] });

    client.close();

    await expect(client.isServerLive()).rejects.toMatchObject({ details: 'the client is closed' });
  });
});

describe('TLS', () => {
  const live = encode('inference.ServerLiveResponse', { live: true });
  const methods: Methods = { unary: { [`${SERVICE}/ServerLive`]: (_, done) => done(null, live) } };

  async function serveTls(): Promise<{ address: string; rootCertificates: Buffer }> {
    const names = [{ name: 'commonName', value: 'models.example' }];
    const { private: key, cert } = await generate(names, {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'models.example' }] }],
    });
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
    const credentials = ServerCredentials.createSsl(null, [pair]);
    const server = await smallServer(methods, { credentials });
    cleanUps.push(() => server.stop());
    return { address: server.address, rootCertificates: pair.cert_chain };
  }

  it('trusts the certificates it is given, for the name it is given', async () => {
    const { address, rootCertificates } = await serveTls();
    const tls = { rootCertificates, serverName: 'models.example' };

    expect(await clientOf({ addresses: [address], tls }).isServerLive()).toBe(true);
  });

  it('trusts nobody else', async () => {
    const { address } = await serveTls();
    const client = clientOf({ addresses: [address], tls: true, retries: 0 });

    await expect(client.isServerLive()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('explaining a configuration', () => {
  it('asks for the origins of its values', async () => {
    const asked: unknown[] = [];
    const { address } = await serve({
      unary: {
        [`${SERVICE}/ModelConfig`]: ({ request }, done) => {
          asked.push(decode('inference.ModelConfigRequest', request));
          const origins = { 'input[0].dims': 'model' };
          done(null, encode('inference.ModelConfigResponse', { config: { name: 'm' }, origins }));
        },
      },
    });

    const explained = await clientOf({ addresses: [address] }).explainModelConfig('m');

    expect(asked).toEqual([{ name: 'm', version: '', explain: true }]);
    expect(explained).toMatchObject({
      config: { name: 'm' },
      origins: { 'input[0].dims': 'model' },
    });
  });
});

describe('loading a model', () => {
  it('tells every server, once, and names the one that refuses', async () => {
    const requests: unknown[] = [];
    const load = (refuses: boolean): Methods => ({
      unary: {
        [`${SERVICE}/RepositoryModelLoad`]: ({ request }, done) => {
          requests.push(decode('inference.RepositoryModelLoadRequest', request));
          if (refuses) done({ code: status.UNAVAILABLE, details: 'not explicit' });
          else done(null, Buffer.alloc(0));
        },
      },
    });
    const good = await serve(load(false));
    const bad = await serve(load(true));
    const client = clientOf({ addresses: [good.address, bad.address] });

    const loaded = client.loadModel('m', {
      config: { max_batch_size: 2 },
      files: { '1/model.onnx': Buffer.from('x') },
    });

    await expect(loaded).rejects.toMatchObject({ details: 'not explicit', address: bad.address });
    expect(requests).toHaveLength(2);
    expect(requests[0]).toMatchObject({
      modelName: 'm',
      parameters: {
        config: { stringParam: '{"max_batch_size":2}' },
        'file:1/model.onnx': { bytesParam: Buffer.from('x') },
      },
    });
  });
});

describe('a request of a sequence', () => {
  it('is sent once', async () => {
    let requests = 0;
    const { address } = await serve({
      unary: {
        [`${SERVICE}/ModelInfer`]: (_, done) => {
          requests++;
          done({ code: status.UNAVAILABLE, details: 'busy' });
        },
      },
    });
    const client = clientOf({ addresses: [address], retries: { max: 5, initialBackoffMs: 0 } });

    const answer = client.infer('m', {}, { parameters: { sequence_id: 7 } });

    await expect(answer).rejects.toMatchObject({ details: 'busy' });
    expect(requests).toBe(1);
  });
});
