// Three servers with the model, and one in front of the first that stalls.

import { setTimeout as sleep } from 'node:timers/promises';
import { TestClient } from '../../runtime/e2e/harness/test-client.js';
import { ServedProcess } from '../processes/served-process.js';
import { modelCounts } from '../processes/model-counts.js';

const STALL = { share: 0.01, stallMs: 500 };
const KILLS = 3;

export class Replicas {
  readonly #repository: string;
  readonly #proxy: ServedProcess;
  readonly #servers: ServedProcess[];
  /** Received by servers that have been killed is lost; then nothing can be said of it. */
  #wasKilled = false;

  static async start(repository: string): Promise<Replicas> {
    const servers = [];
    for (let i = 0; i < 3; i++) servers.push(await ServedProcess.inferd(repository));
    const proxy = await ServedProcess.stallingProxy(servers[0]!.grpcPort, STALL);
    return new Replicas(repository, servers, proxy);
  }

  private constructor(repository: string, servers: ServedProcess[], proxy: ServedProcess) {
    this.#repository = repository;
    this.#servers = servers;
    this.#proxy = proxy;
  }

  get addresses(): { readonly stalling: string; readonly sound: string } {
    const [first, ...others] = this.#servers.map(({ grpcPort }) => grpcPort);
    const text = (ports: readonly number[]): string =>
      ports.map((port) => `127.0.0.1:${port}`).join(',');
    return {
      stalling: text([this.#proxy.grpcPort, ...others]),
      sound: text([first!, ...others]),
    };
  }

  /** Requests that have come to any of them since they were started; NaN when one was killed. */
  async received(): Promise<number> {
    if (this.#wasKilled) return NaN;
    const counts = await Promise.all(
      this.#servers.map(async ({ grpcPort }) => {
        const client = new TestClient(grpcPort);
        const { succeeded, failed } = await modelCounts(client, 'tiny');
        client.close();
        return succeeded + failed;
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Several times in this time, one after the other, each on the port that it had. */
  async killAndRestart(ms: number): Promise<void> {
    this.#wasKilled = true;
    for (let i = 0; i < KILLS; i++) {
      const { grpcPort } = this.#servers[i]!;
      await sleep(ms / KILLS / 3);
      await this.#servers[i]!.kill();
      await sleep(ms / KILLS / 3);
      const flags = [`--grpc-port=${grpcPort}`];
      this.#servers[i] = await ServedProcess.inferd(this.#repository, { flags });
      await sleep(ms / KILLS / 3);
    }
  }

  async stop(): Promise<void> {
    await this.#proxy.stop();
    for (const server of this.#servers) await server.stop();
  }
}
