// A run of changes under load: rounds of windows, in which every phase lies between two windows without changes, so that what the
// machine does meanwhile hits both.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Say } from '../command/run-bench.js';
import { monotonicOffsetMs } from '../load/request-log.js';
import type { Operation } from './model-state.js';
import { PHASES, type Phase } from './phases.js';
import type { SwappedModel } from './swapped-model.js';

export interface Window {
  /** undefined: nothing changes. */
  readonly phase: string | undefined;
  /** Milliseconds of the machine's monotonic clock. */
  readonly from: number;
  readonly to: number;
  /** How long each operation took. */
  readonly operationMs: readonly number[];
}

export interface Changes {
  readonly windows: readonly Window[];
  readonly operations: readonly Operation[];
  /** What went wrong with operations. */
  readonly problems: readonly string[];
}

export interface Pace {
  readonly rounds: number;
  /** From the start of an operation to that of the next. */
  readonly paceMs: number;
}

const QUIET_MS = 2_500;

export async function runChanges(model: SwappedModel, pace: Pace, say: Say): Promise<Changes> {
  const changing = new Changing(model, pace);
  for (let round = 0; round < pace.rounds; round++) {
    for (const phase of PHASES) {
      await changing.quiet();
      await changing.phase(phase, round);
    }
    say(`round ${round + 1} of ${pace.rounds}: ${changing.operations.length} operations`);
  }
  await changing.quiet();
  return changing;
}

// ---- details below; callers need not read ----

class Changing implements Changes {
  readonly windows: Window[] = [];
  readonly operations: Operation[] = [];
  readonly problems: string[] = [];
  readonly #model: SwappedModel;
  readonly #pace: Pace;
  readonly #offset = monotonicOffsetMs();

  constructor(model: SwappedModel, pace: Pace) {
    this.#model = model;
    this.#pace = pace;
  }

  async quiet(): Promise<void> {
    const from = this.#now();
    await sleep(QUIET_MS);
    this.windows.push({ phase: undefined, from, to: this.#now(), operationMs: [] });
  }

  /** This round's share of its changes. */
  async phase({ name, steps, changes }: Phase, round: number): Promise<void> {
    const { rounds } = this.#pace;
    const share = (until: number): number => Math.round((changes * until) / rounds);
    const from = this.#now();
    const operationMs: number[] = [];
    for (let left = share(round + 1) - share(round); left > 0; left--)
      for (const step of steps) operationMs.push(await this.#operation(name, step));
    this.windows.push({ phase: name, from, to: this.#now(), operationMs });
  }

  async #operation(name: string, step: Phase['steps'][number]): Promise<number> {
    const startedAt = this.#now();
    try {
      const answer = await step(this.#model);
      this.operations.push({ startedAt, endedAt: this.#now(), answer });
    } catch (error) {
      this.problems.push(`${name}: ${(error as Error).message}`);
    }
    const ms = this.#now() - startedAt;
    await sleep(Math.max(0, this.#pace.paceMs - ms));
    return ms;
  }

  #now(): number {
    return performance.now() + this.#offset;
  }
}
