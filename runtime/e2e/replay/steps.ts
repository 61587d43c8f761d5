// What each kind of step does. A step is prepared first and issued later, so that the steps of a group start together.

import { setTimeout as sleep } from 'node:timers/promises';
import { httpGet } from './http-get.js';
import type { JsonObject } from './json.js';
import type { Breakdown, Outcome } from './outcome.js';
import { createPlaceholders, type Placeholders } from './placeholders.js';
import type { Step } from './scenario.js';
import type { ServerProcess } from './server-process.js';
import { SharedMemoryFiles } from './shared-memory-files.js';

type Prepared = () => Promise<Outcome>;

export class StepRunner {
  readonly #server: ServerProcess;
  readonly #placeholders: Placeholders;
  readonly #sharedMemory = new SharedMemoryFiles();

  constructor(server: ServerProcess) {
    this.#server = server;
    const { path: repository, directory, fixtures } = server.repository;
    const tag = String(server.ports.grpc);
    this.#placeholders = createPlaceholders({ fixtures, repository, directory, tag });
  }

  /** Issues the steps at once, each after its own delay, and waits for all of them. */
  run(steps: readonly Step[]): Promise<(Outcome | Breakdown)[]> {
    const prepared = steps.map((step) => this.#prepareOrBreak(step));
    return Promise.all(prepared.map((issue) => issue()));
  }

  /** Removes what the steps have left outside of the repository. */
  cleanUp(): void {
    this.#sharedMemory.deleteAll();
  }

  #prepareOrBreak(step: Step): () => Promise<Outcome | Breakdown> {
    let prepared: Prepared;
    try {
      prepared = this.#prepare(this.#placeholders.fill(step));
    } catch (error) {
      return () => Promise.resolve(breakdown(error));
    }
    return async () => {
      if (step.delay_ms !== undefined) await sleep(step.delay_ms);
      try {
        const outcome = await prepared();
        return { ...outcome, answer: this.#placeholders.clean(outcome.answer) };
      } catch (error) {
        return breakdown(error);
      }
    };
  }

  #prepare(step: Step): Prepared {
    const { rpc, fs, shm, http, sleep_ms: sleepMs, signal, wait_exit: waitMs } = step;
    if (rpc !== undefined) return this.#server.client.prepare(step);
    if (fs) return doing(() => this.#server.repository.apply(fs));
    if (shm) return ending(() => this.#sharedMemory.apply(shm));
    if (http) return ending(() => httpGet(this.#server.ports[http.port ?? 'http'], http));
    if (sleepMs !== undefined) return doing(() => sleep(sleepMs));
    if (signal !== undefined)
      return doing(() => this.#server.signal(`SIG${signal}` as NodeJS.Signals));
    if (waitMs !== undefined) return ending(() => this.#waitForExit(waitMs));
    throw new Error(`what kind of step is this: ${Object.keys(step).join(', ')}`);
  }

  async #waitForExit(limitMs: number): Promise<JsonObject> {
    const limit = new AbortController();
    const late = sleep(limitMs, null, { signal: limit.signal }).catch(() => null);
    const code = await Promise.race([this.#server.exited, late]);
    limit.abort();
    return { exit_code: code };
  }
}

function ending(act: () => JsonObject | Promise<JsonObject>): Prepared {
  return async () => ({ answer: await act(), endedAt: performance.now() });
}

function doing(act: () => unknown): Prepared {
  return async () => {
    await act();
    return { answer: { done: true }, endedAt: performance.now() };
  };
}

function breakdown(error: unknown): Breakdown {
  return {
    broken: `cannot be carried out: ${error instanceof Error ? error.message : String(error)}`,
  };
}
