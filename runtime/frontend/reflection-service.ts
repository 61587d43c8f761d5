// Server reflection, so that grpcurl, Postman and the like need no .proto files. @grpc/reflection does the work; it is loaded when
// somebody first asks, and it believes it is talking to a grpc-js server, which this file plays for it over the transport port.

import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { EventEmitter } from 'node:events';
import { RuntimeError } from '../core/errors.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, StreamCall } from './grpc-transport.js';
import { PROTO_DIRECTORY, PROTO_FILES } from './message-codec.js';

const PATHS = [
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

export function reflectionMethods(): GrpcMethod[] {
  let loading: Promise<ReadonlyMap<string, ReflectionMethod>> | undefined;
  return PATHS.map((path) => ({
    path,
    kind: 'stream',
    handle: (call) => {
      loading ??= loadReflection();
      loading.then(
        (methods) => methods.get(path)!(call),
        (error: unknown) => call.fail(grpcStatusOf(error)),
      );
    },
  }));
}

// ---- details below; callers need not read ----

type ReflectionMethod = (call: StreamCall) => void;

async function loadReflection(): Promise<ReadonlyMap<string, ReflectionMethod>> {
  const [{ ReflectionService }, { load }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
  ]);
  const definition = await load([...PROTO_FILES], {
    includeDirs: [PROTO_DIRECTORY],
    keepCase: true,
  });
  const methods = new Map<string, ReflectionMethod>();
  const server: Pick<Server, 'addService'> = {
    addService: (service: ServiceDefinition, implementation: UntypedServiceImplementation) => {
      for (const [name, method] of Object.entries(service)) {
        const implement = implementation[name] as unknown as (stream: ReflectionStream) => void;
        methods.set(method.path, (call) => implement(new ReflectionStream(call, method)));
      }
    },
  };
  new ReflectionService(definition).addToServer(server);
  return methods;
}

/** As much of a grpc-js duplex stream as the reflection service uses: 'data', 'end', write and end. */
class ReflectionStream extends EventEmitter {
  readonly #call: StreamCall;
  readonly #method: ServiceDefinition[string];

  constructor(call: StreamCall, method: ServiceDefinition[string]) {
    super();
    this.#call = call;
    this.#method = method;
    // Listeners are added by the service right after this constructor.
    queueMicrotask(() => this.#start());
  }

  write(response: unknown): boolean {
    return this.#call.send(this.#method.responseSerialize(response));
  }

  end(): void {
    this.#call.end();
  }

  #start(): void {
    this.#call.onHalfClose(() => this.emit('end'));
    this.#call.onMessage((message) => {
      let request: unknown;
      try {
        request = this.#method.requestDeserialize(message);
      } catch (error) {
        const text = `request is not a valid ServerReflectionRequest message: ${String(error)}`;
        this.#call.fail(grpcStatusOf(new RuntimeError('INVALID_ARGUMENT', text)));
        return;
      }
      this.emit('data', request);
    });
  }
}
