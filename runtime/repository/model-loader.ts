// Changes which versions of a model serve, all or nothing: the new versions are made first, then published together, and only
// then the old ones leave; when one fails, the others made with it are taken down again and what served before goes on. For one
// model, one call at a time (the manager sees to that).

import pLimit, { type LimitFunction } from 'p-limit';
import { RuntimeError } from '../core/errors.js';
import { reasonOf, versionsFailed } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import type { ModelDescription } from './model-description.js';
import { ModelLifecycle } from './model-lifecycle.js';
import type { ModelRegistry } from './model-registry.js';
import { ServingVersion, type LoadedVersion } from './servable-handle.js';

/** Makes one version ready to serve. @throws RuntimeError that says what is wrong with it */
export type LoadVersion = (model: ModelDescription, version: number) => Promise<LoadedVersion>;

export interface ModelLoaderParts {
  readonly registry: ModelRegistry;
  readonly loadVersion: LoadVersion;
  readonly observer: LoadObserver;
}

export class ModelLoader {
  readonly #parts: ModelLoaderParts;
  readonly #limit: LimitFunction;
  /** Old versions on their way out. */
  readonly #retiring = new Set<Promise<void>>();

  /** `loadThreads`: versions that may be loading at once. */
  constructor(parts: ModelLoaderParts, loadThreads: number) {
    this.#parts = parts;
    this.#limit = pLimit(loadThreads);
  }

  /** Serves the versions of `description` and no others. Versions that serve from unchanged files are left alone. */
  async apply(description: ModelDescription): Promise<void> {
    const attempts = description.versions
      .filter((version) => !this.#isCurrent(description, version))
      .map((version) => new ModelLifecycle(version, description.fingerprints.get(version) ?? ''));
    const loaded = await this.#loadAll(description, attempts);
    this.#publish(description, loaded);
  }

  /** No request reaches the model any more; those under way finish. */
  unload(name: string): void {
    const { registry } = this.#parts;
    const ready = (registry.lifecycles(name) ?? []).filter(({ state }) => state.kind === 'ready');
    for (const lifecycle of ready) this.#retire(name, lifecycle);
    if (ready.length > 0) registry.changed(name);
  }

  /** Resolves when every version that had to leave is gone. */
  async retired(): Promise<void> {
    await Promise.all(this.#retiring);
  }

  // ---- details below; callers need not read ----

  /** Serves already, from the same files. */
  #isCurrent({ name, fingerprints }: ModelDescription, version: number): boolean {
    const lifecycle = this.#lifecycle(name, version);
    return lifecycle?.state.kind === 'ready' && lifecycle.fingerprint === fingerprints.get(version);
  }

  #lifecycle(name: string, version: number): ModelLifecycle | undefined {
    return this.#parts.registry
      .lifecycles(name)
      ?.find((lifecycle) => lifecycle.version === version);
  }

  async #loadAll(
    description: ModelDescription,
    attempts: readonly ModelLifecycle[],
  ): Promise<Map<ModelLifecycle, LoadedVersion>> {
    const { registry } = this.#parts;
    const { name } = description;
    for (const attempt of attempts) {
      attempt.transition({ kind: 'loading' });
      // What serves stays visible until it is replaced.
      if (this.#lifecycle(name, attempt.version)?.state.kind !== 'ready')
        registry.put(name, attempt);
    }
    registry.changed(name);
    const loaded = new Map<ModelLifecycle, LoadedVersion>();
    await Promise.all(
      attempts.map(async (attempt) => {
        const version = await this.#limit(() => this.#attempt(description, attempt));
        if (version) loaded.set(attempt, version);
      }),
    );
    if (loaded.size < attempts.length) await this.#giveUp(name, attempts, loaded);
    return loaded;
  }

  async #attempt(
    description: ModelDescription,
    attempt: ModelLifecycle,
  ): Promise<LoadedVersion | undefined> {
    const { observer, loadVersion } = this.#parts;
    const { name } = description;
    const startedAt = performance.now();
    observer.versionLoading(name, attempt.version);
    try {
      const loaded = await loadVersion(description, attempt.version);
      const ms = performance.now() - startedAt;
      loaded.model.statistics.loadMs = ms;
      observer.versionReady(name, attempt.version, ms);
      return loaded;
    } catch (thrown) {
      const error = RuntimeError.from(thrown);
      attempt.transition({ kind: 'failed', reason: reasonOf(error) });
      observer.versionFailed(name, attempt.version, error);
      return undefined;
    }
  }

  async #giveUp(
    name: string,
    attempts: readonly ModelLifecycle[],
    loaded: ReadonlyMap<ModelLifecycle, LoadedVersion>,
  ): Promise<never> {
    for (const [attempt, version] of loaded) {
      try {
        await version.close();
      } catch (thrown) {
        this.#unloadingFailed(name, thrown);
      }
      attempt.transition({ kind: 'ended' });
    }
    this.#parts.registry.changed(name);
    const failures = attempts.flatMap(({ version, state }) =>
      state.kind === 'failed' ? [{ version, reason: state.reason }] : [],
    );
    throw versionsFailed(name, failures);
  }

  /** In one step, as requests see it: the new versions are there and those no longer wanted are not. */
  #publish(
    { name, versions }: ModelDescription,
    loaded: ReadonlyMap<ModelLifecycle, LoadedVersion>,
  ): void {
    const { registry } = this.#parts;
    const replaced: ModelLifecycle[] = [];
    for (const old of registry.lifecycles(name) ?? [])
      if (old.state.kind === 'ready' && !versions.includes(old.version)) replaced.push(old);
    for (const [attempt, version] of loaded) {
      const old = this.#lifecycle(name, attempt.version);
      if (old?.state.kind === 'ready') replaced.push(old);
      attempt.transition({ kind: 'ready', serving: new ServingVersion(version) });
      registry.put(name, attempt);
    }
    for (const old of replaced) this.#retire(name, old);
    registry.changed(name);
  }

  /** Takes no new requests from now on; those under way finish. */
  #retire(name: string, lifecycle: ModelLifecycle): void {
    const { state } = lifecycle;
    if (state.kind !== 'ready') return;
    lifecycle.transition({ kind: 'draining', serving: state.serving });
    const retired = state.serving.retire().then(
      () => this.#ended(name, lifecycle),
      (thrown: unknown) => {
        this.#unloadingFailed(name, thrown);
        this.#ended(name, lifecycle);
      },
    );
    this.#retiring.add(retired);
    void retired.finally(() => this.#retiring.delete(retired));
  }

  #unloadingFailed(name: string, thrown: unknown): void {
    const { message } = RuntimeError.from(thrown);
    this.#parts.observer.modelWarning(name, `unloading failed: ${message}`);
  }

  #ended(name: string, lifecycle: ModelLifecycle): void {
    lifecycle.transition({ kind: 'ended' });
    this.#parts.observer.versionUnloaded(name, lifecycle.version);
    this.#parts.registry.changed(name);
  }
}
