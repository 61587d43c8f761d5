// ModelStreamInfer over real sockets: with the TypeScript client, and with a caller who does not read.

import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferdClient, type InferStream, type StreamAnswer } from 'inferd-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { untilPending } from './harness/metrics.js';
import { loadProto } from './replay/message-json.js';
import { serving } from './harness/serving.js';
import { GOLDEN_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { executions } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';
const REQUEST = loadProto().lookupType('inference.ModelInferRequest');
const RESPONSE = loadProto().lookupType('inference.ModelStreamInferResponse');
const MIB = 2 ** 20;

const repository = (): TemporaryRepository => {
  const made = new TemporaryRepository();
  // It takes most of a second, and one request at a time.
  made.copy(join(GOLDEN_MODELS, 'repo_batching/slow_graceful'), 'slow_graceful');
  const x = { name: 'x', type: ONNX_TYPE.FLOAT, shape: ['batch', 'width'] };
  made.model('quick', {
    inputs: [x],
    outputs: [{ ...x, name: 'y' }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
  return made;
};

const SLOW = { INPUT0: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) } } as const;
const QUICK = { x: { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(3) } } as const;

async function answersOf(stream: InferStream): Promise<StreamAnswer[]> {
  const answers: StreamAnswer[] = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
}

function failureOf(answers: Promise<StreamAnswer[]>): Promise<unknown> {
  return answers.then(
    () => 'OK',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

describe('a stream', () => {
  const served = serving(repository());
  let client: InferdClient;
  beforeAll(() => {
    client = new InferdClient({ addresses: [`127.0.0.1:${served.server.ports.grpc!}`] });
  });
  afterAll(() => client.close());

  async function executed(model: string): Promise<number> {
    const all = await executions(served.client, model);
    return all.reduce((sum, [, count]) => sum + count, 0);
  }

  it('carries any models and their errors, answers in order, and ends well', async () => {
    const stream = await client.stream();

    await stream.send('slow_graceful', SLOW, { id: 'a' });
    await stream.send('quick', QUICK, { id: 'b' });
    await stream.send('nowhere', QUICK, { id: 'c' });
    await stream.send('quick', SLOW, { id: 'd' });
    await stream.send('quick', QUICK, { id: 'e' });
    stream.end();

    const answers = await answersOf(stream);
    expect(answers.map(({ id, error }) => [id, error?.details])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', "Request for unknown model: 'nowhere' is not found"],
      ['d', expect.stringContaining("'INPUT0'") as string],
      ['e', undefined],
    ]);
    expect(answers[1]!.result!.outputs['y']!.data).toEqual(Float32Array.of(3));
  });

  it('frees its places in the queue when the caller goes', async () => {
    const before = await executed('slow_graceful');
    const gone = new AbortController();
    const stream = await client.stream({ signal: gone.signal });
    for (const id of ['a', 'b', 'c']) await stream.send('slow_graceful', SLOW, { id });
    await untilPending(served.server, 'slow_graceful', 2);

    gone.abort();

    expect(await failureOf(answersOf(stream))).toBe('CANCELLED');
    await untilPending(served.server, 'slow_graceful', 0);
    await client.infer('slow_graceful', SLOW);
    expect((await executed('slow_graceful')) - before).toBe(2);
  });

  it('gives its deadline to its requests', async () => {
    const before = await executed('slow_graceful');
    const stream = await client.stream({ deadlineMs: 300 });
    for (const id of ['a', 'b']) await stream.send('slow_graceful', SLOW, { id });

    expect(await failureOf(answersOf(stream))).toBe('DEADLINE_EXCEEDED');
    await untilPending(served.server, 'slow_graceful', 0);
    await client.infer('slow_graceful', SLOW);
    expect((await executed('slow_graceful')) - before).toBe(2);
  });

  it('is not read further than its caller reads', { timeout: 120_000 }, async () => {
    const [count, width] = [10_000, 8192];
    const requests = Array.from({ length: 100 }, (_, id) => encodedRequest(id, width));
    const channel = new Client(
      `127.0.0.1:${served.server.ports.grpc!}`,
      credentials.createInsecure(),
    );
    const same = (message: Buffer): Buffer => message;
    const before = [residentBytes(served.server), await executed('quick')] as const;

    const call = channel.makeBidiStreamRequest(PATH, same, same, new Metadata());
    const ended = new Promise((done, failed) => call.on('end', done).on('error', failed));
    const ids: number[] = [];
    // grpc-js reads all there is for whoever does not listen; who listens and pauses takes one message.
    call.on('data', (message: Buffer) => ids.push(idOf(message)));
    call.once('data', () => call.pause());
    for (let index = 0; index < count; index++) call.write(requests[index % requests.length]!);
    call.end();
    const taken = await settled(async () => (await executed('quick')) - before[1]);

    // All of them would be 320 MB of requests and as much of answers.
    expect(taken).toBeLessThan(count / 4);
    expect(residentBytes(served.server) - before[0]).toBeLessThan(100 * MIB);
    call.resume();
    await ended;
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => index % requests.length));
    expect(residentBytes(served.server) - before[0]).toBeLessThan(200 * MIB);
    channel.close();
  });
});

it('holds up no server that ends', { timeout: 60_000 }, async () => {
  const models = repository();
  const server = await TestServer.start({
    repository: models.path,
    flags: ['--exit-timeout-secs=600'],
  });
  const client = new InferdClient({ addresses: [`127.0.0.1:${server.ports.grpc!}`] });
  const [idle, busy] = [await client.stream(), await client.stream()];
  await idle.send('quick', QUICK, { id: 'i' });
  const idleAnswers = idle[Symbol.asyncIterator]();
  expect((await idleAnswers.next()).value).toMatchObject({ id: 'i' });
  for (const id of ['a', 'b', 'c']) await busy.send('slow_graceful', SLOW, { id });
  await untilPending(server, 'slow_graceful', 2);

  server.signal('SIGTERM');

  await expect(idleAnswers.next()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    details: 'GRPC server is shutting down and has stopped accepting new requests.',
  });
  const seen: string[] = [];
  const end = await (async () => {
    for await (const { id } of busy) seen.push(id);
  })().catch((error: unknown) => error as ServiceError);
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(end).toMatchObject({ code: status[status.UNAVAILABLE] });
  expect(await server.exited).toBe(0);
  client.close();
  models.remove();
});

function encodedRequest(id: number, width: number): Buffer {
  const message = {
    model_name: 'quick',
    id: String(id),
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, width] }],
    raw_input_contents: [Buffer.alloc(width * 4)],
  };
  return REQUEST.encode(REQUEST.fromObject(message)).finish() as Buffer;
}

function idOf(message: Buffer): number {
  const { infer_response: response } = RESPONSE.decode(message) as unknown as {
    infer_response: { id: string };
  };
  return Number(response.id);
}

function residentBytes({ pid }: TestServer): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kilobytes) * 1024;
}

/** Questions in a row to the server, which takes what it can between two of them, that find nothing new. */
const UNCHANGED = 200;

/** The count when it has begun and does not grow any more. */
async function settled(count: () => Promise<number>): Promise<number> {
  let last = 0;
  for (let same = 0; last === 0 || same < UNCHANGED;) {
    const now = await count();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}
