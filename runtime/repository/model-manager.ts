// Brings what serves in line with what lies in the repositories, on demand. For each model one operation at a time, in the order
// in which they came; different models at once.

import { InvalidModelConfig } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelControl, ModelIndexEntry } from '../core/model-control.js';
import { noVersions, pollFailed } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import { describeModel, type ModelDescription } from './model-description.js';
import type { ModelLoader } from './model-loader.js';
import type { ModelRegistry } from './model-registry.js';
import { listRepositories, type ModelDirectory, type RepositoryListing } from './model-source.js';

export interface ModelManagerOptions {
  readonly repositories: readonly string[];
  readonly controlMode: 'none' | 'poll' | 'explicit';
  readonly hasGpu: boolean;
}

export interface ModelManagerParts {
  readonly registry: ModelRegistry;
  readonly loader: ModelLoader;
  readonly observer: LoadObserver;
}

const NO_DIRECTORY = 'no model repository has a directory of that name';
const TWO_DIRECTORIES = 'model appears in two or more repositories';

export class ModelManager implements ModelControl {
  readonly #options: ModelManagerOptions;
  readonly #parts: ModelManagerParts;
  /** The last operation of each model; the next one waits for it. */
  readonly #operations = new Map<string, Promise<void>>();
  /** Models that were wanted at the start and could not even be read. */
  readonly #unreadable = new Set<string>();
  #listing: RepositoryListing = new Map();

  constructor(options: ModelManagerOptions, parts: ModelManagerParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Whether a repository had a directory of that name when last looked. */
  isListed(name: string): boolean {
    return this.#listing.has(name);
  }

  /** Loads the models of these names, or every model for 'all'. Returns what failed, by name. */
  async start(names: 'all' | readonly string[]): Promise<ReadonlyMap<string, RuntimeError>> {
    this.#listing = await listRepositories(this.#options.repositories);
    const failures = new Map<string, RuntimeError>();
    const wanted = names === 'all' ? [...this.#listing.keys()] : names;
    await Promise.all(
      wanted.map(async (name) => {
        try {
          await this.#inTurn(name, () => this.#load(name));
        } catch (thrown) {
          const error = RuntimeError.from(thrown);
          failures.set(name, error);
          if (!this.isListed(name))
            this.#parts.observer.modelUnreadable(name, [{ path: '', message: NO_DIRECTORY }]);
          if (!this.#parts.registry.lifecycles(name)) this.#unreadable.add(name);
        }
      }),
    );
    return failures;
  }

  async load(name: string): Promise<void> {
    this.#checkControl();
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
    await this.#inTurn(name, async () => {
      this.#listing = await listRepositories(this.#options.repositories);
      await this.#load(name);
    });
  }

  async unload(name: string): Promise<void> {
    this.#checkControl();
    await this.#inTurn(name, () => this.#unload(name));
    if (this.#unreadable.delete(name)) this.#parts.registry.tellListeners();
  }

  async index({ readyOnly }: { readyOnly: boolean }): Promise<ModelIndexEntry[]> {
    this.#listing = await listRepositories(this.#options.repositories);
    const names = new Set([...this.#listing.keys(), ...this.#parts.registry.names()]);
    const entries = [...names].sort().flatMap((name) => this.#entriesOf(name));
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
    const { registry } = this.#parts;
    await Promise.all(registry.names().map((name) => this.#inTurn(name, () => this.#unload(name))));
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

  async #inTurn(name: string, operation: () => Promise<void>): Promise<void> {
    const before = this.#operations.get(name) ?? Promise.resolve();
    const mine = before.then(operation);
    // The next operation runs whether or not this one fails.
    const settled = mine.catch(() => undefined);
    this.#operations.set(name, settled);
    try {
      await mine;
    } finally {
      if (this.#operations.get(name) === settled) this.#operations.delete(name);
    }
  }

  #entriesOf(name: string): ModelIndexEntry[] {
    if ((this.#listing.get(name)?.length ?? 0) > 1) {
      return [{ name, state: 'UNAVAILABLE', reason: TWO_DIRECTORIES }];
    }
    const lifecycles = this.#parts.registry.lifecycles(name);
    if (!lifecycles) return [{ name, state: '', reason: '' }];
    return lifecycles.map(({ version, publicState }) => ({ name, version, ...publicState }));
  }

  async #load(name: string): Promise<void> {
    const { registry, observer } = this.#parts;
    observer.modelLoading(name);
    const description = await this.#describe(name);
    for (const warning of description.warnings) observer.modelWarning(name, warning);
    if (description.versions.length === 0) {
      registry.know(name);
      observer.modelUnreadable(name, [{ path: '', message: 'it has no version to serve' }]);
      throw noVersions(name);
    }
    this.#unreadable.delete(name);
    await this.#parts.loader.apply(description);
  }

  #unload(name: string): Promise<void> {
    this.#parts.loader.unload(name);
    return Promise.resolve();
  }

  async #describe(name: string): Promise<ModelDescription> {
    const directories: readonly ModelDirectory[] = this.#listing.get(name) ?? [];
    const { observer } = this.#parts;
    // Who calls for a model that is nowhere is told so, and it is no fault of the server's that belongs into its log.
    if (directories.length === 0) throw pollFailed(name);
    if (directories.length > 1) {
      observer.modelUnreadable(name, [{ path: '', message: TWO_DIRECTORIES }]);
      throw pollFailed(name);
    }
    try {
      return await describeModel(directories[0]!, { hasGpu: this.#options.hasGpu });
    } catch (error) {
      if (!(error instanceof InvalidModelConfig)) throw error;
      observer.modelUnreadable(name, error.problems);
      throw pollFailed(name, error);
    }
  }
}
