// Callers as a stranger would write them: grpc-js, no retries, so many requests under way on each of so many connections.

import { connectivityState, type Client, type ServiceError } from '@grpc/grpc-js';
import { askBytes, bytesClient } from '../works/infer-answer.js';
import type { Point } from '../works/work.js';
import type { FailedCall } from './call-outcome.js';

export interface CallersTask {
  /** Addresses as grpc-js takes them; the first that answers is taken. */
  readonly target: string;
  readonly message: Buffer;
  readonly point: Point;
  /** A caller goes on after a failure; otherwise it gives up. */
  readonly goOn: boolean;
}

export class PlainCallers {
  answered = 0;
  readonly failures: FailedCall[] = [];
  readonly #task: CallersTask;
  readonly #clients: readonly Client[];
  readonly #calling: Promise<unknown>;
  #wanted = true;

  constructor(task: CallersTask) {
    const { connections, streams } = task.point;
    this.#task = task;
    this.#clients = Array.from({ length: connections }, () => bytesClient(task.target));
    const callers = this.#clients.flatMap((client) =>
      Array.from({ length: streams }, () => this.#caller(client)),
    );
    this.#calling = Promise.all(callers);
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#calling;
    for (const client of this.#clients) client.close();
  }

  async #caller(client: Client): Promise<void> {
    while (this.#wanted) {
      const wasConnected =
        client.getChannel().getConnectivityState(false) === connectivityState.READY;
      try {
        await askBytes(client, this.#task.message);
        this.answered++;
      } catch (error) {
        const { code, details } = error as ServiceError;
        this.failures.push({ code, text: details, wasConnected });
        if (!this.#task.goOn) return;
      }
    }
  }
}
