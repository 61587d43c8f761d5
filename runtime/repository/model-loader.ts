// Changes which versions of a model serve, all or nothing: the new versions are made first, then published together, and only
// then the old ones leave; when one fails, the others made with it are taken down again, those changed in place are changed back, and
// what served before goes on. A version that cannot even be changed back serves as it is, and that is told. For one model, one call at
// a time (the manager sees to that).

import pLimit, { type LimitFunction } from 'p-limit';
import { RuntimeError, bug } from '../core/errors.js';
import { reasonOf, versionsFailed } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import type { ModelDescription, VersionSource } from './model-description.js';
import { ModelLifecycle } from './model-lifecycle.js';
import type { ModelRegistry } from './model-registry.js';
import { Retirement } from './retirement.js';
import { ServingVersion, type LoadVersion, type LoadedVersion } from './servable-handle.js';

export interface ModelLoaderParts {
  readonly registry: ModelRegistry;
  readonly loadVersion: LoadVersion;
  readonly observer: LoadObserver;
}

/** Why a version could not be made or changed. */
interface Failure {
  readonly version: number;
  readonly reason: string;
}

/** A version that has been changed in place, and what it was before. */
interface Change {
  readonly lifecycle: ModelLifecycle;
  readonly before: { readonly source: VersionSource; readonly description: ModelDescription };
}

export class ModelLoader {
  readonly #parts: ModelLoaderParts;
  readonly #limit: LimitFunction;
  readonly #retirement: Retirement;

  /** `loadThreads`: versions that may be loading at once. */
  constructor(parts: ModelLoaderParts, loadThreads: number) {
    this.#parts = parts;
    this.#limit = pLimit(loadThreads);
    this.#retirement = new Retirement(parts);
  }

  /**
   * Serves the versions of `description` and no others. Versions that serve from unchanged files are left alone; where only
   * the instance groups have changed, those are changed in place, one version after the other, when the new versions are made.
   */
  async apply(description: ModelDescription): Promise<void> {
    const attempts = description.versions
      .filter((version) => !this.#hasSameFiles(description, version))
      .map((version) => new ModelLifecycle(version, sourceOf(description, version)));
    const loaded = await this.#loadAll(description, attempts);
    const failures = failuresOf(attempts);
    if (failures.length === 0) failures.push(...(await this.#updateInPlace(description)));
    if (failures.length > 0) {
      await this.#giveUp(description.name, loaded);
      throw this.#failed(description, failures);
    }
    this.#publish(description, loaded);
  }

  /** No request reaches the model any more. Resolves when those under way have finished. */
  async unload(name: string): Promise<void> {
    const { registry } = this.#parts;
    const ready = (registry.lifecycles(name) ?? []).filter(({ serving }) => serving);
    const gone = ready.map((lifecycle) => this.#retirement.retire(name, lifecycle));
    if (ready.length > 0) registry.changed(name);
    await Promise.all(gone);
  }

  /** `listener` is told when a model has lost a version for good, by no wish of anybody. */
  onEjected(listener: (name: string) => void): void {
    this.#retirement.onEjected = listener;
  }

  /** What serves goes on as it was, because what should take its place cannot even be read. */
  reloadFailed(name: string, reason: string): void {
    for (const lifecycle of this.#parts.registry.lifecycles(name) ?? [])
      lifecycle.reloadFailure = reason;
  }

  /** Resolves when every version that had to leave is gone. */
  retired(): Promise<void> {
    return this.#retirement.finished();
  }

  // ---- details below; callers need not read ----

  #hasSameFiles(description: ModelDescription, version: number): boolean {
    const lifecycle = this.#ready(description.name, version);
    return lifecycle?.source.fingerprint === sourceOf(description, version).fingerprint;
  }

  #ready(name: string, version: number): ModelLifecycle | undefined {
    return this.#parts.registry
      .lifecycles(name)
      ?.find((lifecycle) => lifecycle.version === version && lifecycle.serving);
  }

  /** What could be made; the attempts of the others have failed. */
  async #loadAll(
    description: ModelDescription,
    attempts: readonly ModelLifecycle[],
  ): Promise<Map<ModelLifecycle, LoadedVersion>> {
    const { registry } = this.#parts;
    const { name } = description;
    for (const attempt of attempts) {
      attempt.transition({ kind: 'loading' });
      // What serves stays visible until it is replaced.
      if (!this.#ready(name, attempt.version)) registry.put(name, attempt);
    }
    registry.changed(name);
    const loaded = new Map<ModelLifecycle, LoadedVersion>();
    await Promise.all(
      attempts.map(async (attempt) => {
        const version = await this.#limit(() => this.#attempt(description, attempt));
        if (version) loaded.set(attempt, version);
      }),
    );
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
      const { statistics, properties } = loaded.model;
      statistics.loadMs = ms;
      observer.versionReady(name, attempt.version, { ms, properties });
      return loaded;
    } catch (thrown) {
      const error = RuntimeError.from(thrown);
      attempt.transition({ kind: 'failed', reason: reasonOf(error) });
      observer.versionFailed(name, attempt.version, error);
      return undefined;
    }
  }

  async #updateInPlace(description: ModelDescription): Promise<Failure[]> {
    const { observer } = this.#parts;
    const { name } = description;
    const changed: Change[] = [];
    for (const version of description.versions) {
      const lifecycle = this.#ready(name, version);
      const source = sourceOf(description, version);
      if (!lifecycle?.serving || !differsInPlace(lifecycle.source, source)) continue;
      const before = { source: lifecycle.source, description: lifecycle.serving.description };
      try {
        await lifecycle.serving.update(description);
      } catch (thrown) {
        const error = RuntimeError.from(thrown);
        observer.versionFailed(name, version, error);
        await this.#changeBack(name, changed);
        return [{ version, reason: reasonOf(error) }];
      }
      lifecycle.source = source;
      changed.push({ lifecycle, before });
    }
    for (const { lifecycle } of changed) observer.versionUpdated(name, lifecycle.version);
    return [];
  }

  async #changeBack(name: string, changed: readonly Change[]): Promise<void> {
    for (const { lifecycle, before } of changed) {
      try {
        await lifecycle.serving?.update(before.description);
        lifecycle.source = before.source;
      } catch (thrown) {
        const { code, message } = RuntimeError.from(thrown);
        const text = `its instance groups could not be changed back, so it serves with the new ones: ${message}`;
        const error = new RuntimeError(code, text, { cause: thrown });
        this.#parts.observer.versionFailed(name, lifecycle.version, error);
      }
    }
  }

  async #giveUp(name: string, loaded: ReadonlyMap<ModelLifecycle, LoadedVersion>): Promise<void> {
    for (const [attempt, version] of loaded) {
      await this.#retirement.discard(name, version);
      attempt.transition({ kind: 'ended' });
    }
    this.#parts.registry.changed(name);
  }

  /** Versions that serve in place of a newer state of their files or configuration say why from now on. */
  #failed(description: ModelDescription, failures: readonly Failure[]): RuntimeError {
    const { name, versions } = description;
    const all = failures.map(({ version, reason }) => `version ${version}: ${reason}`).join('; ');
    for (const version of versions) {
      const old = this.#ready(name, version);
      if (!old || isSame(old.source, sourceOf(description, version))) continue;
      old.reloadFailure = failures.find((failure) => failure.version === version)?.reason ?? all;
    }
    return versionsFailed(name, failures);
  }

  /** In one step, as requests see it: the new versions are there and those no longer wanted are not. */
  #publish(
    description: ModelDescription,
    loaded: ReadonlyMap<ModelLifecycle, LoadedVersion>,
  ): void {
    const { name, versions } = description;
    const { registry } = this.#parts;
    const replaced: ModelLifecycle[] = [];
    for (const old of registry.lifecycles(name) ?? []) {
      old.reloadFailure = '';
      if (!versions.includes(old.version)) replaced.push(old);
    }
    for (const [attempt, version] of loaded) {
      const old = this.#ready(name, attempt.version);
      if (old) replaced.push(old);
      attempt.transition({ kind: 'ready', serving: new ServingVersion(version, description) });
      registry.put(name, attempt);
    }
    for (const old of replaced) void this.#retirement.retire(name, old);
    registry.changed(name);
    for (const [attempt, version] of loaded)
      version.onLost((error) => this.#retirement.eject(name, attempt, error));
  }
}

function sourceOf({ sources, name }: ModelDescription, version: number): VersionSource {
  const source = sources.get(version);
  if (!source) throw bug(`version ${version} of model '${name}' has no source`);
  return source;
}

function isSame(one: VersionSource, other: VersionSource): boolean {
  return one.fingerprint === other.fingerprint && one.inPlace === other.inPlace;
}

function differsInPlace(one: VersionSource, other: VersionSource): boolean {
  return one.fingerprint === other.fingerprint && one.inPlace !== other.inPlace;
}

function failuresOf(attempts: readonly ModelLifecycle[]): Failure[] {
  return attempts.flatMap(({ version, state }) =>
    state.kind === 'failed' ? [{ version, reason: state.reason }] : [],
  );
}
