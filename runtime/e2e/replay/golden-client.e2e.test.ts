// Streams at the pace a step asks for, and cancellation, against a small server that does as its requests say.

import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoldenClient } from './golden-client.js';
import { decodeJson, encodeJson, loadProto } from './message-json.js';
import type { Step } from './scenario.js';

type Call = ServerDuplexStream<Buffer, Buffer>;

const ROOT = loadProto();
const REQUEST = ROOT.lookupType('inference.ModelInferRequest');
const RESPONSE = ROOT.lookupType('inference.ModelStreamInferResponse');
const ANSWER_MS = 20;

/** What the server saw and did, in this order, and when requests came. */
let events: string[] = [];
let arrivals: number[] = [];
let endedAt = 0;

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

/** Answers every request after a while, or, for a model "late", when all have come; fails at one of a model "fail". */
function echo(call: Call): void {
  const answers: Promise<void>[] = [];
  const ended = new Promise<void>((resolve) => call.once('end', resolve));
  call.on('data', (bytes: Buffer) => {
    const { model_name: model, id = '' } = decodeJson(REQUEST, bytes) as Record<string, string>;
    arrivals.push(performance.now());
    events.push(`request ${id}`);
    if (model === 'fail') call.emit('error', { code: status.INTERNAL, details: 'as asked' });
    const due = model === 'late' ? ended : sleep(ANSWER_MS);
    const answer = (): void => {
      events.push(`answer ${id}`);
      call.write(encodeJson(RESPONSE, { infer_response: { id } }));
    };
    answers.push(due.then(answer));
  });
  call.on('end', () => {
    endedAt = performance.now();
    void Promise.all(answers).then(() => call.end());
  });
}

/** Never answers. */
const silent: handleUnaryCall<Buffer, Buffer> = () => undefined;

const requests = ['a', 'b', 'c'].map((id) => ({ id }));

describe('a call of the golden client', () => {
  const server = new Server();
  let client: GoldenClient;
  const run = (step: Step) => client.prepare({ rpc: 'ModelStreamInfer', ...step })();

  beforeAll(async () => {
    const path = '/inference.GRPCInferenceService';
    server.addService(
      {
        ModelStreamInfer: method(`${path}/ModelStreamInfer`, true),
        ServerLive: method(`${path}/ServerLive`, false),
      },
      { ModelStreamInfer: echo, ServerLive: silent },
    );
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    client = new GoldenClient(port);
    await client.connect([{ rpc: 'ServerLive' }]);
  });

  afterAll(() => {
    client.close();
    server.forceShutdown();
  });

  it('collects the responses of a stream in their order', async () => {
    const late = requests.map((request) => ({ ...request, model_name: 'late' }));

    const { answer } = await run({ requests: late });

    const responses = requests.map((response) => ({ infer_response: response }));
    expect(answer).toEqual({ grpc_code: 'OK', grpc_message: '', responses });
  });

  it('waits for each response in lockstep', async () => {
    events = [];

    await run({ requests, lockstep: true });

    expect(events).toEqual(['a', 'b', 'c'].flatMap((id) => [`request ${id}`, `answer ${id}`]));
  });

  it('leaves gaps between requests and holds the stream open after the last', async () => {
    arrivals = [];

    await run({ requests, gap_ms: 50, hold_ms: 80 });

    expect(arrivals[1]! - arrivals[0]!).toBeGreaterThan(20);
    expect(arrivals[2]! - arrivals[1]!).toBeGreaterThan(20);
    expect(endedAt - arrivals[2]!).toBeGreaterThan(40);
  });

  it('ends with the status of the server, without writing what is left', async () => {
    arrivals = [];

    const { answer } = await run({
      requests: [{ model_name: 'fail' }, { id: 'b' }],
      gap_ms: 5_000,
    });

    expect(answer).toEqual({ grpc_code: 'INTERNAL', grpc_message: 'as asked', responses: [] });
    expect(arrivals).toHaveLength(1);
  });

  it('cancels a stream after so many responses', async () => {
    const { answer } = await run({ requests, lockstep: true, cancel_after_responses: 2 });

    expect(answer['grpc_code']).toBe('CANCELLED');
    expect(answer['responses']).toHaveLength(2);
  });

  it('cancels a unary call after a while', async () => {
    const { answer } = await run({ rpc: 'ServerLive', cancel_after_ms: 60 });

    expect(answer).toEqual({ grpc_code: 'CANCELLED', grpc_message: '(by the client)' });
  });

  it('gives up at the deadline', async () => {
    const [unary, stream] = await Promise.all([
      run({ rpc: 'ServerLive', deadline_ms: 60 }),
      run({ requests: [{ id: 'a' }], hold_ms: 5_000, deadline_ms: 1_000 }),
    ]);

    expect(unary.answer['grpc_code']).toBe('DEADLINE_EXCEEDED');
    expect(stream.answer).toMatchObject({ grpc_code: 'DEADLINE_EXCEEDED', responses: [{}] });
  });

  it('understands what it has compressed', async () => {
    const plain = await run({ requests });
    const compressed = await run({ requests, compression: 'gzip' });

    expect(compressed.answer).toEqual(plain.answer);
  });
});

describe('compression', () => {
  it('is applied to the calls that ask for it', async () => {
    const seen: [encoding: unknown, isCompressed: number | undefined][] = [];
    const server = createServer((request, response) => {
      void buffer(request).then((body) => {
        seen.push([request.headers['grpc-encoding'], body[0]]);
        response.writeHead(200, { 'content-type': 'application/grpc', 'grpc-status': '12' });
        response.end();
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = new GoldenClient((server.address() as AddressInfo).port);
    const step: Step = { rpc: 'ModelReady', request: { name: 'm' } };

    await client.prepare(step)();
    await client.prepare({ ...step, compression: 'gzip' })();
    await client.prepare({ ...step, compression: 'deflate' })();

    expect(seen).toEqual([
      [undefined, 0],
      ['gzip', 1],
      ['deflate', 1],
    ]);
    client.close();
    server.close();
  });
});
