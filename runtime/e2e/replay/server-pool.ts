// Gives every scenario a server. The last one is kept for the next scenario that may share it; a server that is no longer needed
// ends in the background.

import { serverKey, type Scenario, type Startup } from './scenario.js';
import { ServerProcess } from './server-process.js';

const START_LIMIT_S = 30;

export interface StartedServer {
  readonly server: ServerProcess;
  readonly startup: Startup;
}

export class ServerPool {
  readonly #fixtures: string;
  readonly #ending = new Set<Promise<void>>();
  #kept: { readonly key: string; readonly started: StartedServer } | undefined;

  /** @param fixtures the directory that holds the repositories */
  constructor(fixtures: string) {
    this.#fixtures = fixtures;
  }

  async serverFor(scenario: Scenario): Promise<StartedServer> {
    const key = serverKey(scenario);
    const kept = this.#kept;
    if (scenario.share === true && kept?.key === key && kept.started.server.exitCode === undefined)
      return kept.started;
    this.#dropKept();
    const server = await ServerProcess.start(this.#fixtures, scenario);
    const limitMs = (scenario.start_limit_s ?? START_LIMIT_S) * 1_000;
    const started = { server, startup: await server.started(scenario.ready ?? 'ready', limitMs) };
    if (scenario.share === true && started.startup[0] === 'up') this.#kept = { key, started };
    return started;
  }

  /** The scenario is over. */
  release({ server }: StartedServer): void {
    if (this.#kept?.started.server !== server) this.#end(server);
  }

  async close(): Promise<void> {
    this.#dropKept();
    await Promise.all(this.#ending);
  }

  #dropKept(): void {
    if (this.#kept) this.#end(this.#kept.started.server);
    this.#kept = undefined;
  }

  #end(server: ServerProcess): void {
    const ending = server.stop().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
