// Follows the loading of models: a line in the log for what happens to each, a line of progress every second while it lasts, and
// at the end everything that is wrong, by model.

import { InvalidModelConfig, formatProblem, type ConfigProblem } from '../config/config-problem.js';
import type { Clock, Timer } from '../core/clock.js';
import type { RuntimeError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import type { LoadObserver, LoadedFacts } from '../repository/load-observer.js';

const PROGRESS_MS = 1000;

export class LoadReport implements LoadObserver {
  /** Sentences by model; models that loaded are not in it. */
  readonly problems = new Map<string, string[]>();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #loading = new Set<string>();
  #ready = 0;
  #failed = 0;
  #timer: Timer;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  modelLoading(model: string): void {
    this.problems.delete(model);
  }

  modelWarning(model: string, warning: string): void {
    this.#log.warn({ model }, warning);
  }

  modelUnreadable(model: string, problems: readonly ConfigProblem[]): void {
    this.#failed++;
    this.#note(model, problems.map(formatProblem));
  }

  versionLoading(model: string, version: number): void {
    if (this.#loading.size === 0)
      this.#timer = this.#clock.setTimer(() => this.#progress(), PROGRESS_MS);
    this.#loading.add(`${model}:${version}`);
    this.#log.debug({ model, version }, 'loading');
  }

  versionReady(model: string, version: number, { ms, properties = {} }: LoadedFacts): void {
    this.#ready++;
    this.#done(model, version);
    const shown = { model, version, ms: Math.round(ms), ...firstOf(properties) };
    this.#log.info(shown, 'model is ready');
  }

  versionFailed(model: string, version: number, error: RuntimeError): void {
    this.#failed++;
    this.#done(model, version);
    const problems =
      error instanceof InvalidModelConfig ? error.problems.map(formatProblem) : [error.message];
    this.#note(
      model,
      problems.map((problem) => `version ${version}: ${problem}`),
    );
    if (error.cause instanceof Error) this.#log.error({ model, version }, error.cause.message);
  }

  versionUpdated(model: string, version: number): void {
    this.#log.info({ model, version }, 'instance groups are changed in place');
  }

  versionEjected(model: string, version: number, error: RuntimeError): void {
    this.#note(model, [`version ${version} cannot serve any more: ${error.message}`]);
  }

  versionUnloaded(model: string, version: number): void {
    this.#log.info({ model, version }, 'model is unloaded');
  }

  #note(model: string, problems: readonly string[]): void {
    for (const problem of problems) this.#log.error({ model }, problem.trim());
    this.problems.set(model, [...(this.problems.get(model) ?? []), ...problems]);
  }

  #done(model: string, version: number): void {
    this.#loading.delete(`${model}:${version}`);
    if (this.#loading.size === 0) this.#clock.clearTimer(this.#timer);
  }

  #progress(): void {
    const [first = ''] = this.#loading;
    const others = this.#loading.size - 1;
    const what = others > 0 ? `${first} and ${others} more` : first;
    this.#log.info({}, `loading ${what}; ${this.#ready} ready, ${this.#failed} failed so far`);
    this.#timer = this.#clock.setTimer(() => this.#progress(), PROGRESS_MS);
  }
}

const SHOWN_PROPERTIES = 8;
const SHOWN_LENGTH = 80;

/** As much of model.json as fits into a line. */
function firstOf(properties: Readonly<Record<string, string>>): { properties?: object } {
  const first = Object.entries(properties).slice(0, SHOWN_PROPERTIES);
  if (first.length === 0) return {};
  return {
    properties: Object.fromEntries(
      first.map(([key, value]) => [key, value.slice(0, SHOWN_LENGTH)]),
    ),
  };
}
