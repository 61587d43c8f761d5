// grpc.health.v1.Health. The name of a model stands for that model, any other name, as in Triton, for the server; but Watch of a
// name that is neither a model nor empty says SERVICE_UNKNOWN, as the protocol has it. One name stands for the process: it is
// SERVING while it lives, for probes that would otherwise end a server because a model is not ready.

import { RuntimeError } from '../core/errors.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, StreamCall } from './grpc-transport.js';
import { messageCodec } from './message-codec.js';
import type { ServerHealth } from './server-health.js';
import { unaryMethod } from './unary-method.js';

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** No model can be called so: names of directories have no slash. */
const LIVENESS = 'inferd/live';

const REQUEST = 'grpc.health.v1.HealthCheckRequest';
const RESPONSE = 'grpc.health.v1.HealthCheckResponse';

export function healthMethods(health: ServerHealth, catalog: ModelCatalog): GrpcMethod[] {
  const service = new HealthService(health, catalog);
  return [
    unaryMethod(
      '/grpc.health.v1.Health/Check',
      { request: REQUEST, response: RESPONSE },
      (request) => ({
        status: service.check(String(request['service'])),
      }),
    ),
    {
      path: '/grpc.health.v1.Health/Watch',
      kind: 'stream',
      handle: (call) => service.watch(call),
    },
  ];
}

// ---- details below; callers need not read ----

class HealthService {
  readonly #health: ServerHealth;
  readonly #catalog: ModelCatalog;
  readonly #requests = messageCodec(REQUEST);
  readonly #responses = messageCodec(RESPONSE);

  constructor(health: ServerHealth, catalog: ModelCatalog) {
    this.#health = health;
    this.#catalog = catalog;
  }

  check(name: string): ServingStatus {
    if (name === LIVENESS) return 'SERVING';
    if (this.#health.isStopping()) return 'NOT_SERVING';
    const ready = this.#catalog.isKnown(name)
      ? this.#catalog.isReady(name, '')
      : this.#health.isReady();
    return ready ? 'SERVING' : 'NOT_SERVING';
  }

  /** Sends the status now and whenever it has changed, until the caller leaves or connections are closed. */
  watch(call: StreamCall): void {
    let unfollow = (): void => undefined;
    const leave = (): void => {
      unfollow();
      forgetEnd();
    };
    const forgetEnd = this.#health.onStreamsEnd(() => {
      leave();
      call.end();
    });
    const fail = (error: unknown): void => {
      leave();
      call.fail(grpcStatusOf(error));
    };
    let asked = false;
    call.onCancelled({ callCancelled: leave });
    call.onHalfClose(() => {
      const text = 'Watch ended without a HealthCheckRequest message; expected one';
      if (!asked) fail(new RuntimeError('INVALID_ARGUMENT', text));
    });
    call.onMessage((message) => {
      asked = true;
      unfollow();
      try {
        unfollow = this.#follow(String(this.#requests.decode(message)['service']), call);
      } catch (error) {
        fail(error);
      }
    });
  }

  #follow(name: string, call: StreamCall): () => void {
    let last: ServingStatus | undefined;
    const send = (): void => {
      const status = this.#watched(name);
      if (status !== last) call.send(this.#responses.encode({ status }));
      last = status;
    };
    const forgetCatalog = this.#catalog.onChange(send);
    const forgetHealth = this.#health.onChange(send);
    send();
    return () => {
      forgetCatalog();
      forgetHealth();
    };
  }

  #watched(name: string): ServingStatus {
    if (name !== '' && name !== LIVENESS && !this.#catalog.isKnown(name)) return 'SERVICE_UNKNOWN';
    return this.check(name);
  }
}
