// Versions on their way out: from the moment that no new request may reach them until their memory is free.

import { RuntimeError } from '../core/errors.js';
import { reasonOf } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import type { ModelLifecycle } from './model-lifecycle.js';
import type { ModelRegistry } from './model-registry.js';
import type { LoadedVersion, ServingVersion } from './servable-handle.js';

export interface RetirementParts {
  readonly registry: ModelRegistry;
  readonly observer: LoadObserver;
}

export class Retirement {
  readonly #parts: RetirementParts;
  readonly #leaving = new Set<Promise<void>>();
  /** Hears of models that lost a version. */
  onEjected: (name: string) => void = () => undefined;

  constructor(parts: RetirementParts) {
    this.#parts = parts;
  }

  /** It was ready and is not wanted any more. The caller tells the registry. Resolves when it is gone. */
  retire(name: string, lifecycle: ModelLifecycle): Promise<void> {
    const { serving } = lifecycle;
    if (!serving) return Promise.resolve();
    lifecycle.transition({ kind: 'draining', serving });
    return this.#leave(name, serving, () => {
      lifecycle.transition({ kind: 'ended' });
      this.#parts.observer.versionUnloaded(name, lifecycle.version);
      this.#parts.registry.changed(name);
    });
  }

  /** It was ready and cannot serve any more. One that leaves already has nothing more to lose. */
  eject(name: string, lifecycle: ModelLifecycle, error: RuntimeError): void {
    const { serving } = lifecycle;
    if (!serving) return;
    lifecycle.transition({ kind: 'failed', reason: reasonOf(error) });
    this.#parts.observer.versionEjected(name, lifecycle.version, error);
    this.#parts.registry.changed(name);
    void this.#leave(name, serving, () => undefined);
    this.onEjected(name);
  }

  /** It was made and never served. */
  async discard(name: string, loaded: LoadedVersion): Promise<void> {
    try {
      await loaded.close();
    } catch (thrown) {
      this.#closingFailed(name, thrown);
    }
  }

  /** Resolves when everything that had to leave is gone. */
  async finished(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  // ---- details below; callers need not read ----

  #leave(name: string, serving: ServingVersion, gone: () => void): Promise<void> {
    const left = serving
      .retire()
      .catch((thrown: unknown) => this.#closingFailed(name, thrown))
      .then(gone);
    this.#leaving.add(left);
    void left.finally(() => this.#leaving.delete(left));
    return left;
  }

  #closingFailed(name: string, thrown: unknown): void {
    const { message } = RuntimeError.from(thrown);
    this.#parts.observer.modelWarning(name, `unloading failed: ${message}`);
  }
}
