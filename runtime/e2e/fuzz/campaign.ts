// Sends request after request, so many at a time, with good ones among them, and judges how each ends. Between rounds, when
// nothing broken is under way, every model is asked once more.

import type { Connections } from './connections.js';
import { brokenCase, goodCase, type FuzzCase } from './fuzz-case.js';
import { RECIPES } from './good-request.js';
import { labelOf } from './outcome.js';
import { describeFinding } from './finding.js';
import { faultOf } from './rules.js';
import type { Tally } from './tally.js';

export interface CampaignOptions {
  readonly seed: number;
  /** Numbers of the broken requests. */
  readonly numbers: readonly number[];
  /** Tells whether the server has ended; nothing more is sent then. */
  readonly isOver: () => boolean;
}

const IN_FLIGHT = 64;
const ROUND = 3000;

/** Every so many broken requests there is a good one. */
const GOOD_EVERY = 4;

/** Longer than anything takes on a busy machine. */
const HANGS_MS = 60_000;

/** More of them say no more: nothing new is sent after so many, and no more than a few of a kind are told. */
const FINDINGS = 20;
const FINDINGS_PER_KIND = 3;

export class Campaign {
  /** What was wrong, as texts for people. */
  readonly findings: string[] = [];
  readonly #faultsOf = new Map<string, number>();
  readonly #connections: Connections;
  readonly #tally: Tally;
  readonly #options: CampaignOptions;

  constructor(connections: Connections, tally: Tally, options: CampaignOptions) {
    this.#connections = connections;
    this.#tally = tally;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { numbers } = this.#options;
    await this.#checkUp();
    for (let from = 0; from < numbers.length; from += ROUND) {
      await this.#round(numbers.slice(from, from + ROUND));
      await this.#checkUp();
    }
  }

  // ---- details below; callers need not read ----

  get #over(): boolean {
    return this.findings.length >= FINDINGS || this.#options.isOver();
  }

  async #round(numbers: readonly number[]): Promise<void> {
    const queue = [...numbers].reverse();
    const lane = async (): Promise<void> => {
      for (let number = queue.pop(); number !== undefined; number = queue.pop()) {
        if (this.#over) return;
        await this.#both(number);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  }

  /** The good request goes to the model of the broken one, so that they meet in a batch. */
  async #both(number: number): Promise<void> {
    const { seed } = this.#options;
    const broken = brokenCase(seed, number);
    const sent = [this.#send(broken)];
    if (number % GOOD_EVERY === 0) sent.push(this.#send(goodCase(seed, number, broken.model)));
    await Promise.all(sent);
  }

  async #checkUp(): Promise<void> {
    for (const [index, { model }] of RECIPES.entries()) {
      if (this.#over) return;
      await this.#send(goodCase(this.#options.seed, index, model));
    }
  }

  async #send(fuzzCase: FuzzCase): Promise<void> {
    const outcome = await this.#connections.send(fuzzCase, HANGS_MS);
    this.#tally.count(fuzzCase.kind, labelOf(outcome));
    const fault = faultOf(outcome, fuzzCase.rules);
    if (fault !== undefined) this.#found(fuzzCase, fault);
  }

  /** Also what was in flight when the server ended: one of that must have been the end of it. */
  #found(fuzzCase: FuzzCase, fault: string): void {
    const before = this.#faultsOf.get(fuzzCase.kind) ?? 0;
    this.#faultsOf.set(fuzzCase.kind, before + 1);
    if (before < FINDINGS_PER_KIND)
      this.findings.push(describeFinding(fuzzCase, this.#options.seed, fault));
  }
}
