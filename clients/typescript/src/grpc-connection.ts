// One channel of grpc-js to one server. grpc-js reconnects and keeps the line alive; it neither retries nor balances here.

import {
  Client,
  Metadata as GrpcMetadata,
  connectivityState,
  credentials,
  type CallOptions,
  type ChannelCredentials,
  type ClientOptions as ChannelOptions,
} from '@grpc/grpc-js';
import type { ClientSettings, Metadata } from './client-options.js';
import type { Connection, ConnectionState, Duplex, OutgoingCall } from './connection.js';
import { errorOfAbort, inferdErrorFrom, invalid } from './inferd-error.js';

const STATES: Readonly<Record<connectivityState, ConnectionState>> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'down',
  [connectivityState.SHUTDOWN]: 'down',
};

export interface GrpcConnectionOptions {
  readonly settings: Pick<ClientSettings, 'tls' | 'keepalive'>;
  /** The name that the server's certificate has to have, where it is not the address. */
  readonly serverName: string | undefined;
  /** Told after every change of state. */
  readonly onChange: () => void;
}

export class GrpcConnection implements Connection {
  readonly address: string;
  readonly #client: Client;
  readonly #onChange: () => void;
  #isClosed = false;

  constructor(address: string, { settings, serverName, onChange }: GrpcConnectionOptions) {
    this.address = address;
    this.#client = new Client(
      address,
      channelCredentials(settings),
      channelOptions(settings, serverName),
    );
    this.#onChange = onChange;
    this.#watch();
  }

  get state(): ConnectionState {
    return this.#isClosed ? 'down' : STATES[this.#client.getChannel().getConnectivityState(false)];
  }

  connect(): void {
    this.#client.getChannel().getConnectivityState(true);
  }

  unary(call: OutgoingCall, request: Buffer, signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const { path } = call;
      const [metadata, options] = callParts(call);
      const done = (error: Error | null, response?: Buffer): void => {
        signal.removeEventListener('abort', cancel);
        if (signal.aborted) reject(errorOfAbort(signal));
        else if (error) reject(inferdErrorFrom(error, this.address));
        else resolve(response!);
      };
      const started = this.#client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        request,
        metadata,
        options,
        done,
      );
      const cancel = (): void => started.cancel();
      signal.addEventListener('abort', cancel);
    });
  }

  serverStream(call: OutgoingCall, request: Buffer, signal: AbortSignal): AsyncIterable<Buffer> {
    const parts = callParts(call);
    const stream = this.#client.makeServerStreamRequest(call.path, asIs, asIs, request, ...parts);
    return messagesOf(stream, this.#watchStream(stream, signal));
  }

  duplex(call: OutgoingCall, signal: AbortSignal): Duplex {
    const stream = this.#client.makeBidiStreamRequest(call.path, asIs, asIs, ...callParts(call));
    const fate = this.#watchStream(stream, signal);
    let isEnded = false;
    return {
      messages: messagesOf(stream, fate),
      write: (message) =>
        new Promise((resolve, reject) => {
          if (isEnded) throw invalid('the stream has been ended; open another one');
          if (fate.failure) throw fate.failure;
          // grpc-js calls back without an error also when the stream is gone.
          stream.write(message, (error?: Error | null) => {
            if (fate.failure) reject(fate.failure);
            else if (error) reject(inferdErrorFrom(error, this.address));
            else resolve();
          });
        }),
      end: () => {
        isEnded = true;
        stream.end();
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  /** Cancels the call when the signal says so, and keeps how it failed for those who look later: grpc-js tells it once. */
  #watchStream(stream: MessageStream, signal: AbortSignal): StreamFate {
    const fate: StreamFate = { failure: undefined };
    const cancel = (): void => stream.cancel();
    const forget = (): void => signal.removeEventListener('abort', cancel);
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    stream.on('end', forget);
    stream.on('error', (error) => {
      forget();
      fate.failure = signal.aborted ? errorOfAbort(signal) : inferdErrorFrom(error, this.address);
    });
    return fate;
  }

  #watch(): void {
    const channel = this.#client.getChannel();
    const state = channel.getConnectivityState(false);
    channel.watchConnectivityState(state, Infinity, () => {
      if (this.#isClosed) return;
      this.#watch();
      this.#onChange();
    });
  }
}

interface MessageStream extends AsyncIterable<Buffer> {
  cancel(): void;
  on(event: 'end' | 'error', listener: (error?: unknown) => void): unknown;
}

interface StreamFate {
  failure: Error | undefined;
}

/** Cancels the call when the reader stops early. */
function messagesOf(stream: MessageStream, fate: StreamFate): AsyncIterable<Buffer> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* stream;
        // Who begins to read after the failure finds a stream that merely ends.
        if (fate.failure) throw fate.failure;
      } catch (error) {
        throw fate.failure ?? error;
      } finally {
        stream.cancel();
      }
    },
  };
}

function callParts({ metadata, timeoutMs }: OutgoingCall): [GrpcMetadata, CallOptions] {
  const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  return [grpcMetadata(metadata), options];
}

function grpcMetadata(pairs: Metadata): GrpcMetadata {
  const metadata = new GrpcMetadata();
  try {
    for (const [key, value] of Object.entries(pairs)) metadata.set(key, value);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  return metadata;
}

function channelCredentials({ tls }: Pick<ClientSettings, 'tls'>): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { rootCertificates = null, privateKey = null, certificateChain = null } = tls;
  try {
    return credentials.createSsl(rootCertificates, privateKey, certificateChain);
  } catch (error) {
    throw invalid(`tls: ${(error as Error).message}`);
  }
}

function channelOptions(
  { tls, keepalive }: Pick<ClientSettings, 'tls' | 'keepalive'>,
  serverName: string | undefined,
): ChannelOptions {
  const name = tls?.serverName ?? serverName;
  return {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    ...(tls && name !== undefined && { 'grpc.ssl_target_name_override': name }),
    ...(name !== undefined && { 'grpc.default_authority': name }),
    ...(keepalive && {
      'grpc.keepalive_time_ms': keepalive.timeMs,
      'grpc.keepalive_timeout_ms': keepalive.timeoutMs ?? 20_000,
      'grpc.keepalive_permit_without_calls': keepalive.permitWithoutCalls ? 1 : 0,
    }),
  };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
