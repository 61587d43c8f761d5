// A client by descriptors, as a stranger would write it: messages are plain objects, calls are promises.

import type { Client } from '@grpc/grpc-js';
import {
  Metadata,
  credentials,
  loadPackageDefinition,
  type CallOptions,
  type ChannelCredentials,
  type ClientReadableStream,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const LOADED = loadPackageDefinition(
  loadSync(['grpc_service.proto', 'health.proto'], {
    includeDirs: [PROTO],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  }),
) as unknown as {
  inference: { GRPCInferenceService: ServiceClientConstructor };
  grpc: { health: { v1: { Health: ServiceClientConstructor } } };
};

/* eslint-disable @typescript-eslint/no-explicit-any -- messages of any type; tests look into them */
export type Message = Record<string, any>;

export interface CallSettings extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export class TestClient {
  readonly #inference: Client;
  readonly #health: Client;

  constructor(
    port: number | undefined,
    {
      options = {},
      channel = credentials.createInsecure(),
    }: { options?: Record<string, string | number>; channel?: ChannelCredentials } = {},
  ) {
    const address = `localhost:${port ?? 0}`;
    const unlimited = {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    };
    this.#inference = new LOADED.inference.GRPCInferenceService(address, channel, unlimited);
    this.#health = new LOADED.grpc.health.v1.Health(address, channel, unlimited);
  }

  /** @throws ServiceError, whose `code` and `details` are the status */
  call(method: string, request: Message = {}, settings: CallSettings = {}): Promise<Message> {
    return this.start(method, request, settings).answer;
  }

  infer(request: Message, settings?: CallSettings): Promise<Message> {
    return this.call('ModelInfer', request, settings);
  }

  health(method: string, request: Message = {}): Promise<Message> {
    return begin(this.#health, method, { request, settings: {} }).answer;
  }

  watch(service: string): ClientReadableStream<Message> {
    type Watch = (request: Message) => ClientReadableStream<Message>;
    const client = this.#health as unknown as { Watch: Watch };
    return client.Watch({ service });
  }

  /** A call that can be cancelled. */
  start(method: string, request: Message, settings: CallSettings = {}): StartedCall {
    return begin(this.#inference, method, { request, settings });
  }

  close(): void {
    this.#inference.close();
    this.#health.close();
  }
}

export interface StartedCall {
  readonly answer: Promise<Message>;
  readonly cancel: () => void;
}

function begin(
  client: Client,
  method: string,
  { request, settings }: { request: Message; settings: CallSettings },
): StartedCall {
  const { metadata: pairs = {}, ...options } = settings;
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(pairs)) metadata.set(key, value);
  let cancel = (): void => undefined;
  const answer = new Promise<Message>((resolve, reject) => {
    type Method = (...args: unknown[]) => { cancel(): void };
    const unary = (client as unknown as Record<string, Method>)[method]!.bind(client);
    const done = (error: ServiceError | null, message: Message): void =>
      error ? reject(error) : resolve(message);
    const call = unary(request, metadata, options, done);
    cancel = () => call.cancel();
  });
  return { answer, cancel };
}

/** [batch size, how many batches of that size have run], of the model's only version. */
export async function executions(client: TestClient, name: string): Promise<[number, number][]> {
  const { model_stats: stats } = await client.call('ModelStatistics', { name });
  const [version] = stats as [{ batch_stats: { batch_size: number; compute_infer: Count }[] }];
  return version.batch_stats.map(({ batch_size, compute_infer }) => [
    batch_size,
    compute_infer.count,
  ]);
}

interface Count {
  readonly count: number;
}
