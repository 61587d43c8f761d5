// Keeps models that ask others in step with those: parts are loaded before the whole, the whole leaves before a part of it does and
// comes back with it. A whole's turn may wait for a part's, never the other way round: what depends on a part is looked at when the
// part's turn is over.

import { dependenciesOf } from '../config/model-dependencies.js';
import { RuntimeError } from '../core/errors.js';
import { Dependencies } from './dependencies.js';
import type { ModelDescription } from './model-description.js';
import type { ModelRegistry } from './model-registry.js';
import type { Turns } from './turns.js';

/** What the model manager does for it. */
export interface DependentModelsParts {
  readonly registry: ModelRegistry;
  readonly turns: Turns;
  /** Whether a model fits those it asks, all of which serve. @throws RuntimeError that says what does not */
  readonly checkParts: (description: ModelDescription) => void;
  /** In the model's turn: reads it and serves it, unless that is at work elsewhere. */
  readonly loadPart: (name: string) => Promise<void>;
  /** In the model's turn: serves what is described. */
  readonly apply: (description: ModelDescription) => Promise<void>;
  /** Takes it out of service; resolves when none of its requests is under way. */
  readonly withdraw: (name: string) => Promise<void>;
  /** Why a model does not serve; '' when nobody knows. */
  readonly failureOf: (name: string) => string;
  /** Tells why it cannot be served, and returns what its callers see. */
  readonly failed: (name: string, error: RuntimeError) => RuntimeError;
}

export class DependentModels {
  readonly #parts: DependentModelsParts;
  readonly #dependencies: Dependencies;

  constructor(parts: DependentModelsParts) {
    this.#parts = parts;
    this.#dependencies = new Dependencies({
      catalog: parts.registry,
      failureOf: parts.failureOf,
    });
  }

  /**
   * In the turn of the whole: loads what it asks. That a part cannot be loaded is told only where the whole cannot serve without it.
   * Returns the description, which from now on also differs where the tensors of its parts do.
   */
  async prepare(description: ModelDescription): Promise<ModelDescription> {
    const { name, message } = description;
    this.#dependencies.want(description);
    try {
      this.#dependencies.checkCycle(name);
      const parts = new Set(dependenciesOf(message).map((part) => part.name));
      await Promise.all([...parts].map((part) => this.#load(part, name)));
      this.#dependencies.checkCycle(name);
      return this.#checked(description);
    } catch (thrown) {
      throw this.#parts.failed(name, RuntimeError.from(thrown));
    }
  }

  /** It shall not serve any more. Returns the names of the models it asked. */
  forget(name: string): string[] {
    const description = this.#dependencies.wanted(name);
    this.#dependencies.forget(name);
    const parts = description ? dependenciesOf(description.message) : [];
    return [...new Set(parts.map((part) => part.name))];
  }

  /**
   * A part has changed: who asks it is served again, anew, or not any more. Why not goes to the observer. `except`: what waits for
   * the part itself.
   */
  async review(part: string, except = ''): Promise<void> {
    await Promise.all(
      this.#dependencies.dependentsOf(part).map(async (whole) => {
        if (whole === part || whole === except) return;
        // Its failure has been told, and concerns nobody who asked for the part.
        await this.#parts.turns.take(whole, () => this.#review(whole)).catch(() => undefined);
        await this.review(whole, part);
      }),
    );
  }

  /**
   * A part is about to leave: nobody may ask it. Resolves when none of their requests is under way; undefined: nobody asks it, and
   * there is nothing to wait for, so that operations stay in the order in which they came.
   */
  withdraw(part: string): Promise<unknown> | undefined {
    const wholes = this.#dependencies.dependentsOf(part).filter((whole) => whole !== part);
    if (wholes.length === 0) return undefined;
    return Promise.all(
      wholes.map(async (whole) => {
        await this.withdraw(whole);
        await this.#parts.withdraw(whole);
      }),
    );
  }

  // ---- details below; callers need not read ----

  async #load(part: string, whole: string): Promise<void> {
    const { turns, loadPart } = this.#parts;
    try {
      await turns.take(part, () => loadPart(part));
    } catch {
      // Told where it happened; the check of the whole says that the part is missing.
      return;
    }
    void this.review(part, whole);
  }

  async #review(whole: string): Promise<void> {
    const description = this.#dependencies.wanted(whole);
    if (!description) return;
    let checked;
    try {
      checked = this.#checked(description);
    } catch (thrown) {
      void this.#parts.withdraw(whole);
      throw this.#parts.failed(whole, RuntimeError.from(thrown));
    }
    await this.#parts.apply(checked);
  }

  #checked(description: ModelDescription): ModelDescription {
    this.#dependencies.checkAvailable(description);
    this.#parts.checkParts(description);
    return this.#dependencies.withParts(description);
  }
}
