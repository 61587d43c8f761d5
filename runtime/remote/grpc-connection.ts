// One channel of grpc-js to one endpoint, made with the first call. grpc-js reconnects; it neither retries nor balances here.

import {
  Client,
  Metadata,
  connectivityState,
  credentials,
  type Channel,
  type ChannelCredentials,
  type ClientOptions,
} from '@grpc/grpc-js';
import type { Headers } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type {
  AnswerListener,
  ConnectionState,
  EndpointConnection,
  OpenStream,
  OutgoingCall,
  PendingCall,
  StreamListener,
} from './endpoint-connection.js';
import { GrpcStream } from './grpc-stream.js';
import { GrpcUnary } from './grpc-unary.js';

/** What TLS files hold; undefined: what Node has. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** @throws RuntimeError INVALID_ARGUMENT for files that TLS cannot use */
export function channelCredentials(tls: TlsMaterial | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { ca = null, certificate = null, key = null } = tls;
  try {
    return credentials.createSsl(ca, key, certificate);
  } catch (error) {
    throw new RuntimeError('INVALID_ARGUMENT', `TLS files: ${(error as Error).message}`);
  }
}

export class GrpcConnection implements EndpointConnection {
  readonly #client: Client;

  /** `serverName`: what its certificate has to have, where that is not the address; '': it is. */
  constructor(address: string, channel: ChannelCredentials, serverName: string) {
    this.#client = new Client(address, channel, {
      ...CHANNEL_OPTIONS,
      ...(serverName !== '' && {
        'grpc.ssl_target_name_override': serverName,
        'grpc.default_authority': serverName,
      }),
    });
  }

  get state(): ConnectionState {
    return STATES[this.#client.getChannel().getConnectivityState(false)];
  }

  connect(): void {
    const channel = this.#client.getChannel();
    if (channel.getConnectivityState(false) === connectivityState.IDLE)
      channel.getConnectivityState(true);
  }

  unary(call: OutgoingCall, listener: AnswerListener): PendingCall {
    const unary = new GrpcUnary(this.#open(call), listener);
    unary.send(call.message, metadataOf(call.headers));
    return unary;
  }

  stream(call: OutgoingCall, listener: StreamListener): OpenStream {
    const stream = new GrpcStream(this.#open(call), listener);
    stream.send(call.message, metadataOf(call.headers));
    return stream;
  }

  close(): void {
    this.#client.close();
  }

  // ---- details below; callers need not read ----

  /** Below what grpc-js makes of calls for its users, which is of no use here and has its price. */
  #open({ path, timeoutMs }: OutgoingCall): ReturnType<Channel['createCall']> {
    // grpc-js takes the time of day.
    const deadline = timeoutMs === Infinity ? Infinity : Date.now() + timeoutMs;
    return this.#client.getChannel().createCall(path, deadline, undefined, null, undefined);
  }
}

const STATES: Readonly<Record<connectivityState, ConnectionState>> = {
  [connectivityState.IDLE]: 'coming',
  [connectivityState.CONNECTING]: 'coming',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'down',
  [connectivityState.SHUTDOWN]: 'down',
};

/** A ping while calls are under way, so that a host that has vanished is noticed; Triton refuses more than one in 5 minutes. */
const KEEPALIVE_MS = 330_000;

const CHANNEL_OPTIONS: ClientOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': 20_000,
};

function metadataOf(headers: Headers = []): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.set(name, value);
  return metadata;
}
