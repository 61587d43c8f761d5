// GrpcTransport on @grpc/grpc-js. The only file of the server that knows it.

import {
  Metadata,
  Server,
  ServerCredentials,
  setLogger,
  type Deadline as GrpcJsDeadline,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type StatusObject,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { CancelListener } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { NO_DEADLINE, type Deadline } from '../core/deadline.js';
import type { Log } from '../core/log.js';
import type {
  GrpcMethod,
  GrpcStatus,
  GrpcTransport,
  StreamCall,
  UnaryCall,
} from './grpc-transport.js';

export interface GrpcJsTransportOptions {
  readonly address: string;
  readonly port: number;
  readonly tls?: {
    readonly certificate: Buffer;
    readonly key: Buffer;
    /** Authorities of client certificates; with them every client must show one. */
    readonly rootCertificate?: Buffer;
  };
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly keepalivePermitWithoutCalls: boolean;
  /** 0: connections live as long as they like. */
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
  /** Of one connection: an open one takes some 10 kB, whatever becomes of it. Clients keep to it by waiting. 0: any number. */
  readonly maxConcurrentStreams: number;
}

export class GrpcJsTransport implements GrpcTransport {
  readonly #options: GrpcJsTransportOptions;
  readonly #clock: Clock;
  readonly #server: Server;

  constructor(options: GrpcJsTransportOptions, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    // What grpc-js says, it says of callers (metadata it cannot read and the like), and otherwise on the console.
    const say = (message?: unknown, ...more: unknown[]): void =>
      log.debug({ by: 'grpc-js' }, [message, ...more].map(String).join(' '));
    setLogger({ error: say, info: say, debug: say });
    this.#server = new Server({
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': options.keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': options.keepalivePermitWithoutCalls ? 1 : 0,
      ...(options.maxConnectionAgeMs > 0 && {
        'grpc.max_connection_age_ms': options.maxConnectionAgeMs,
        'grpc.max_connection_age_grace_ms': options.maxConnectionAgeGraceMs,
      }),
      ...(options.maxConcurrentStreams > 0 && {
        'grpc.max_concurrent_streams': options.maxConcurrentStreams,
      }),
    });
  }

  start(methods: readonly GrpcMethod[]): Promise<number> {
    for (const method of methods) this.#register(method);
    const { address, port } = this.#options;
    const host = address.includes(':') ? `[${address}]` : address;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, this.#credentials(), (error, boundPort) => {
        if (error) reject(error);
        else resolve(boundPort);
      });
    });
  }

  drain(): Promise<void> {
    return new Promise((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  close(): void {
    this.#server.forceShutdown();
  }

  // ---- details below; callers need not read ----

  #credentials(): ServerCredentials {
    const { tls } = this.#options;
    if (!tls) return ServerCredentials.createInsecure();
    const pair = [{ cert_chain: tls.certificate, private_key: tls.key }];
    const root = tls.rootCertificate ?? null;
    return ServerCredentials.createSsl(root, pair, root !== null);
  }

  #register(method: GrpcMethod): void {
    const streaming = method.kind === 'stream';
    const definition: MethodDefinition<Buffer, Buffer> = {
      path: method.path,
      requestStream: streaming,
      responseStream: streaming,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    this.#server.addService({ call: definition }, { call: this.#handler(method) });
  }

  #handler(method: GrpcMethod): (call: GrpcJsCall, callback: sendUnaryData<Buffer>) => void {
    const clock = this.#clock;
    if (method.kind === 'stream')
      return (call) => method.handle(new GrpcJsStreamCall(call as GrpcJsStream, clock));
    return (call, callback) =>
      method.handle(new GrpcJsUnaryCall(call as GrpcJsUnary, callback, clock));
  }
}

// ---- details below; callers need not read ----

type GrpcJsUnary = ServerUnaryCall<Buffer, Buffer>;
type GrpcJsStream = ServerDuplexStream<Buffer, Buffer>;
type GrpcJsCall = GrpcJsUnary | GrpcJsStream;

function same(message: Buffer): Buffer {
  return message;
}

class GrpcJsUnaryCall implements UnaryCall {
  readonly message: Buffer;
  readonly #call: GrpcJsUnary;
  readonly #callback: sendUnaryData<Buffer>;
  readonly #clock: Clock;

  constructor(call: GrpcJsUnary, callback: sendUnaryData<Buffer>, clock: Clock) {
    this.message = call.request;
    this.#call = call;
    this.#callback = callback;
    this.#clock = clock;
  }

  get deadline(): Deadline {
    return deadlineOf(this.#call, this.#clock);
  }

  metadata(key: string): string | undefined {
    return metadataOf(this.#call, key);
  }

  onCancelled(listener: CancelListener): void {
    this.#call.on('cancelled', () => listener.callCancelled());
  }

  reply(message: Buffer): void {
    this.#callback(null, message);
  }

  fail(status: GrpcStatus): void {
    this.#callback(statusObject(status));
  }
}

class GrpcJsStreamCall implements StreamCall {
  readonly #call: GrpcJsStream;
  readonly #clock: Clock;
  #isEnded = false;

  constructor(call: GrpcJsStream, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    // A caller that goes away in mid-stream is no error of ours; 'cancelled' tells of it.
    call.on('error', () => undefined);
  }

  get deadline(): Deadline {
    return deadlineOf(this.#call, this.#clock);
  }

  metadata(key: string): string | undefined {
    return metadataOf(this.#call, key);
  }

  onCancelled(listener: CancelListener): void {
    this.#call.on('cancelled', () => listener.callCancelled());
  }

  onMessage(listener: (message: Buffer) => void): void {
    this.#call.on('data', (message: Buffer) => {
      if (!this.#isEnded) listener(message);
    });
  }

  onHalfClose(listener: () => void): void {
    this.#call.on('end', () => {
      if (!this.#isEnded) listener();
    });
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  send(message: Buffer): boolean {
    return !this.#isEnded && this.#call.write(message);
  }

  onDrain(listener: () => void): void {
    this.#call.on('drain', listener);
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#call.end();
  }

  fail(status: GrpcStatus): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // A message written after the status would keep it from ever being sent.
    this.#call.emit('error', statusObject(status));
  }
}

function statusObject({ code, message }: GrpcStatus): StatusObject {
  // Our codes are numbers, which is what grpc-js' enumeration is at run time.
  const status: object = { code, details: message, metadata: new Metadata() };
  return status as StatusObject;
}

function metadataOf(call: GrpcJsCall, key: string): string | undefined {
  const value = call.metadata.get(key)[0];
  return typeof value === 'string' ? value : undefined;
}

/** grpc-js keeps wall-clock time; the road keeps the clock's. */
function deadlineOf(call: GrpcJsCall, clock: Clock): Deadline {
  const deadline: GrpcJsDeadline = call.getDeadline();
  const at = typeof deadline === 'number' ? deadline : deadline.getTime();
  return at === Infinity ? NO_DEADLINE : clock.now() + (at - Date.now());
}
