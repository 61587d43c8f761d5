// The gRPC client of the replayer. A call is prepared, with its message encoded, before it is issued: the steps of a group then
// leave at once, and their delays are not those of the client.

import { Client, Metadata, compressionAlgorithms, credentials, status } from '@grpc/grpc-js';
import type { JsonObject } from './json.js';
import { decodeJson, encodeJson, loadProto, rpcMethods, type RpcMethod } from './message-json.js';
import type { Outcome } from './outcome.js';
import type { Step } from './scenario.js';
import { StreamCall } from './stream-call.js';

export type Compression = 'gzip' | 'deflate';

/** Issues the call; never rejects for anything the server does. */
export type PreparedCall = () => Promise<Outcome>;

const DEFAULT_DEADLINE_MS = 30_000;
const CONNECT_LIMIT_MS = 5_000;
const METHODS = rpcMethods(loadProto());

export class GoldenClient {
  readonly #port: number;
  readonly #channels = new Map<Compression | 'none', Client>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens the connections that these steps need. */
  async connect(steps: readonly Step[]): Promise<void> {
    const calls = steps.filter(({ rpc }) => rpc !== undefined);
    const needed = new Set(calls.map(({ compression }) => compression));
    await Promise.all([...needed].map((compression) => connected(this.#channel(compression))));
  }

  /** @throws when there is no such method, or its request has no such field */
  prepare(step: Step): PreparedCall {
    const method = METHODS.get(step.rpc ?? '');
    if (!method) throw new Error(`there is no method ${step.rpc ?? ''}`);
    const client = this.#channel(step.compression);
    const run = method.requestStream
      ? prepareStream(client, method, step)
      : prepareUnary(client, method, step);
    return async () => {
      const startedAt = performance.now();
      const { answer } = await run();
      const endedAt = performance.now();
      return { answer, tookMs: endedAt - startedAt, endedAt };
    };
  }

  close(): void {
    for (const client of this.#channels.values()) client.close();
  }

  /** Compression is a matter of the whole channel here. */
  #channel(compression?: Compression): Client {
    const key = compression ?? 'none';
    const channel = this.#channels.get(key) ?? openChannel(this.#port, compression);
    this.#channels.set(key, channel);
    return channel;
  }
}

type Run = () => Promise<Pick<Outcome, 'answer'>>;

function prepareStream(client: Client, method: RpcMethod, step: Step): Run {
  const { path, request: requestType, response } = method;
  const requests = (step.requests ?? []).map((request) => encodeJson(requestType, request));
  const metadata = metadataOf(step);
  return () => {
    const call = client.makeBidiStreamRequest(path, asIs, asIs, metadata, optionsOf(step));
    return new StreamCall(call, step).run(requests, (bytes) => decodeJson(response, bytes));
  };
}

function prepareUnary(client: Client, method: RpcMethod, step: Step): Run {
  const request = encodeJson(method.request, step.request ?? {});
  const metadata = metadataOf(step);
  return async () => {
    const { path, response } = method;
    const came = await new Promise<Buffer | JsonObject>((resolve) => {
      const options = optionsOf(step);
      let cancelled = false;
      // prettier-ignore
      const call = client.makeUnaryRequest(path, asIs, asIs, request, metadata, options, (error, bytes) => {
        clearTimeout(timer);
        if (!error) resolve(bytes!);
        else if (cancelled && error.code === status.CANCELLED)
          resolve(ended(status.CANCELLED, '(by the client)'));
        else resolve(ended(error.code, error.details));
      });
      const cancel = (): void => {
        cancelled = true;
        call.cancel();
      };
      const { cancel_after_ms: afterMs } = step;
      const timer = afterMs === undefined ? undefined : setTimeout(cancel, afterMs);
    });
    if (!Buffer.isBuffer(came)) return { answer: came };
    return { answer: { ...ended(status.OK, ''), response: decodeJson(response, came) } };
  };
}

function ended(code: status, message: string): JsonObject {
  return { grpc_code: status[code], grpc_message: message };
}

function metadataOf(step: Step): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(step.metadata ?? {})) metadata.set(key, value);
  return metadata;
}

function optionsOf(step: Step): { deadline: number } {
  return { deadline: Date.now() + (step.deadline_ms ?? DEFAULT_DEADLINE_MS) };
}

function openChannel(port: number, compression?: Compression): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    ...(compression && {
      'grpc.default_compression_algorithm': compressionAlgorithms[compression],
    }),
  });
}

function connected(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + CONNECT_LIMIT_MS, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
