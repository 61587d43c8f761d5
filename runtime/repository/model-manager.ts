// Brings what serves in line with what lies in the repositories, on demand. For each model one operation at a time, in the order
// in which they came; different models at once.

import { InvalidModelConfig, formatProblem, type ConfigProblem } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { LoadOverride, ModelControl, ModelIndexEntry } from '../core/model-control.js';
import { DependentModels } from './dependent-models.js';
import { NO_VERSION, loadFailed, noVersions, versionsUnavailable } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import type { ModelDescription } from './model-description.js';
import { indexEntries } from './model-index.js';
import { ModelFinder, NO_DIRECTORY, TWO_DIRECTORIES } from './model-finder.js';
import type { ModelLifecycle } from './model-lifecycle.js';
import type { ModelLoader } from './model-loader.js';
import type { ModelRegistry } from './model-registry.js';
import { Turns } from './turns.js';

export interface ModelManagerOptions {
  readonly repositories: readonly string[];
  readonly controlMode: 'none' | 'poll' | 'explicit';
  readonly hasGpu: boolean;
  /** Whether models complete their configuration; true unless said. */
  readonly autoComplete?: boolean | undefined;
  /** Whether models that ask for one have a response cache; false unless said. */
  readonly hasResponseCache?: boolean | undefined;
}

export interface ModelManagerParts {
  readonly registry: ModelRegistry;
  readonly loader: ModelLoader;
  readonly observer: LoadObserver;
  /** Whether a model fits those it asks, all of which serve. @throws RuntimeError that says what does not */
  readonly checkParts?: (description: ModelDescription) => void;
}

export class ModelManager implements ModelControl {
  readonly #options: ModelManagerOptions;
  readonly #parts: ModelManagerParts;
  readonly #finder: ModelFinder;
  readonly #dependents: DependentModels;
  readonly #turns = new Turns();
  /** Models that should serve and could not even be read. */
  readonly #unreadable = new Set<string>();
  /** Why the last attempt at a model failed before any of its versions was tried. */
  readonly #failures = new Map<string, string>();
  #isStopped = false;

  constructor(options: ModelManagerOptions, parts: ModelManagerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#finder = new ModelFinder(options, parts.observer);
    this.#dependents = new DependentModels({
      registry: parts.registry,
      turns: this.#turns,
      checkParts: parts.checkParts ?? (() => undefined),
      loadPart: (name) => this.#loadPart(name),
      apply: (description) => this.#apply(description),
      withdraw: (name) => parts.loader.unload(name),
      failureOf: (name) => this.#failureOf(name),
      failed: (name, error) => this.#partsFailed(name, error),
    });
    parts.loader.onEjected((name) => void this.#dependents.left(name));
  }

  /** Whether a repository had a directory of that name when last looked. */
  isListed(name: string): boolean {
    return this.#finder.isListed(name);
  }

  /** Loads the models of these names, or every model for 'all'. Returns what failed, by name. */
  async start(names: 'all' | readonly string[]): Promise<ReadonlyMap<string, RuntimeError>> {
    const listing = await this.#finder.list();
    const failures = new Map<string, RuntimeError>();
    const wanted = names === 'all' ? [...listing.keys()] : names;
    await Promise.all(
      wanted.map(async (name) => {
        try {
          await this.follow(name);
        } catch (thrown) {
          failures.set(name, RuntimeError.from(thrown));
          if (this.isListed(name)) return;
          this.#parts.observer.modelUnreadable(name, [{ path: '', message: NO_DIRECTORY }]);
          this.#unreadable.add(name);
        }
      }),
    );
    return failures;
  }

  async load(name: string, override?: LoadOverride): Promise<void> {
    this.#checkControl();
    checkName(name);
    await this.#turns.take(name, () => this.#load(name, override));
    await this.#dependents.review(name);
  }

  async unload(name: string, { withParts = false } = {}): Promise<void> {
    this.#checkControl();
    let parts: string[] = [];
    await this.#turns.take(name, async () => {
      await this.#leave(name);
      parts = await this.#dependents.forget(name);
    });
    if (this.#unreadable.delete(name)) this.#parts.registry.tellListeners();
    await this.#dependents.left(name);
    if (!withParts) return;
    for (const part of parts)
      if (!this.#dependents.isAsked(part)) await this.unload(part, { withParts });
  }

  /** The directory is there and the model shall serve what it says. @throws as load */
  async follow(name: string): Promise<void> {
    try {
      await this.#turns.take(name, () => this.#load(name));
    } catch (error) {
      if (this.isListed(name) && !this.#parts.registry.lifecycles(name)) this.#unreadable.add(name);
      throw error;
    }
    await this.#dependents.review(name);
  }

  /** The directory is gone: unloads the model, and when nobody uses it any more nothing is known of it. */
  async forget(name: string): Promise<void> {
    const { loader, registry } = this.#parts;
    let unloaded: Promise<void> | undefined;
    await this.#turns.take(name, async () => {
      this.#unreadable.delete(name);
      await this.#dependents.forget(name);
      this.#failures.delete(name);
      await this.#finder.find(name);
      await this.#dependents.withdraw(name);
      unloaded = loader.unload(name);
    });
    await this.#dependents.left(name);
    await unloaded;
    await this.#turns.take(name, () => {
      // It may have come back meanwhile.
      if (!this.isListed(name) && !registry.lifecycles(name)?.some(isAlive)) registry.forget(name);
      return Promise.resolve();
    });
  }

  async index({ readyOnly }: { readyOnly: boolean }): Promise<ModelIndexEntry[]> {
    const names = await this.#finder.shown(this.#parts.registry.names());
    const entries = names.flatMap((name) => this.#entriesOf(name));
    return readyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
  }

  isReady(): boolean {
    if (this.#unreadable.size > 0) return false;
    return this.#parts.registry.names().every((name) => {
      const lifecycles = this.#parts.registry.lifecycles(name) ?? [];
      const wanted = lifecycles.every(
        ({ state }) => state.kind === 'ready' || state.kind === 'ended',
      );
      return lifecycles.length > 0 && wanted;
    });
  }

  /** Unloads everything; resolves when no request is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#dependents.stop();
    const names = new Set([...this.#parts.registry.names(), ...this.#turns.names()]);
    await Promise.all([...names].map((name) => this.#turns.take(name, () => this.#leave(name))));
    await this.#parts.loader.retired();
  }

  // ---- details below; callers need not read ----

  #checkControl(): void {
    if (this.#options.controlMode === 'explicit') return;
    throw new RuntimeError(
      'CONTROL_REFUSED',
      'explicit model load / unload is not allowed if polling is enabled',
    );
  }

  #entriesOf(name: string): ModelIndexEntry[] {
    if (this.#finder.isListedTwice(name))
      return [{ name, state: 'UNAVAILABLE', reason: TWO_DIRECTORIES }];
    return indexEntries(name, this.#parts.registry.lifecycles(name), this.#failures.get(name));
  }

  async #load(name: string, override?: LoadOverride): Promise<void> {
    this.#parts.observer.modelLoading(name);
    this.#failures.delete(name);
    const description = await this.#describe(name, override);
    const { warnings } = description;
    for (const warning of warnings) this.#parts.observer.modelWarning(name, warning);
    try {
      await this.#dependents.serve(description);
    } finally {
      await description.overrideFiles?.release();
    }
  }

  async #describe(name: string, override: LoadOverride | undefined): Promise<ModelDescription> {
    try {
      return await this.#finder.describe(name, override);
    } catch (thrown) {
      this.#failed(name, reasonFor(RuntimeError.from(thrown)));
      throw thrown;
    }
  }

  /** Nothing was tried, and what serves goes on. */
  #failed(name: string, reason: string): void {
    if (this.isListed(name)) this.#failures.set(name, reason);
    this.#parts.loader.reloadFailed(name, reason);
  }

  async #loadPart(name: string): Promise<void> {
    // Where the server follows the repositories, whoever else loads it is at it already.
    const isTried = this.#parts.registry.lifecycles(name) !== undefined || this.#failures.has(name);
    if (this.#options.controlMode === 'explicit' || !isTried) await this.#load(name);
  }

  #partsFailed(name: string, error: RuntimeError): RuntimeError {
    const problems =
      error instanceof InvalidModelConfig ? error.problems : [{ path: '', message: error.message }];
    this.#tellFailed(name, problems);
    if (!this.#parts.registry.lifecycles(name)) this.#unreadable.add(name);
    return loadFailed(name, error.message, error);
  }

  /** The same is not told again each time when another model comes or goes; a load of this one forgets what was told. */
  #tellFailed(name: string, problems: readonly ConfigProblem[]): void {
    const reason = problems.map(formatProblem).join('; ');
    if (this.#failures.get(name) !== reason) {
      this.#parts.observer.modelLoading(name);
      this.#parts.observer.modelUnreadable(name, problems);
    }
    this.#failed(name, reason);
  }

  /** As far as it is known. */
  #failureOf(name: string): string {
    const failures = (this.#parts.registry.lifecycles(name) ?? []).flatMap(({ version, state }) =>
      state.kind === 'failed' ? [{ version, reason: state.reason }] : [],
    );
    return versionsUnavailable(failures) || (this.#failures.get(name) ?? '');
  }

  async #apply(description: ModelDescription): Promise<void> {
    const { registry, loader } = this.#parts;
    const { name, versions } = description;
    if (this.#isStopped)
      throw new RuntimeError('SHUTTING_DOWN', `'${name}' is not loaded any more`);
    if (versions.length === 0) {
      registry.know(name);
      this.#tellFailed(name, [{ path: '', message: NO_VERSION }]);
      throw noVersions(name);
    }
    this.#unreadable.delete(name);
    this.#failures.delete(name);
    await loader.apply(description);
  }

  /** In its turn; whoever asks it leaves first. */
  async #leave(name: string): Promise<void> {
    const leaving = this.#dependents.withdraw(name);
    if (leaving) await leaving;
    void this.#parts.loader.unload(name);
  }
}

function checkName(name: string): void {
  if (name === '')
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      'Model name cannot be empty. Please enter a valid name to deploy.',
    );
  if (name.includes('/') || name.includes('..'))
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `invalid model name '${name}', model name must not contain path traversal characters`,
    );
}

function isAlive({ state }: ModelLifecycle): boolean {
  return state.kind !== 'ended' && state.kind !== 'failed';
}

/** Of an error of the finder: what is wrong with the directory. */
function reasonFor({ cause, message }: RuntimeError): string {
  if (cause instanceof InvalidModelConfig) return cause.problems.map(formatProblem).join('; ');
  return message;
}
