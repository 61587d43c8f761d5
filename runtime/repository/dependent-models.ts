// Keeps models that ask others in step with those: parts are loaded before the whole, the whole leaves before a part of it does and
// comes back with it.
//
// Nothing waits for itself: in its turn a whole may wait for the turns of its parts, unless they ask it in turn. Nobody waits for a
// whole's turn in that of a part: the whole is withdrawn without it, and looked at when the part's turn is over.

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
  /** At once, no request reaches it any more; resolves when none is under way. */
  readonly withdraw: (name: string) => Promise<void>;
  /** Why a model does not serve; '' when nobody knows. */
  readonly failureOf: (name: string) => string;
  /** Tells why it cannot be served, and returns what its callers see. */
  readonly failed: (name: string, error: RuntimeError) => RuntimeError;
}

export class DependentModels {
  readonly #parts: DependentModelsParts;
  readonly #dependencies: Dependencies;
  #isStopped = false;

  constructor(parts: DependentModelsParts) {
    this.#parts = parts;
    this.#dependencies = new Dependencies({
      catalog: parts.registry,
      failureOf: parts.failureOf,
    });
  }

  /**
   * In the turn of the model: loads what it asks, then serves it. That a part cannot be loaded is told only where the model cannot
   * serve without it.
   */
  async serve(description: ModelDescription): Promise<void> {
    const { name, overrideFiles } = description;
    const before = this.#dependencies.want(description);
    if (this.#dependencies.wanted(name)) overrideFiles?.hold();
    // Nothing is waited for before this one's parts are known: of a circle, the last to come sees it whole.
    await Promise.all([this.#loadParts(description), before?.overrideFiles?.release()]);
    let checked;
    try {
      checked = this.#checked(description);
    } catch (thrown) {
      throw this.#parts.failed(name, RuntimeError.from(thrown));
    }
    await this.#parts.apply(checked);
    this.#dependencies.serves(name);
  }

  /** It shall not serve any more. Returns the names of the models it asked. */
  async forget(name: string): Promise<string[]> {
    const description = this.#dependencies.forget(name);
    if (!description) return [];
    await description.overrideFiles?.release();
    return [...new Set(dependenciesOf(description.message).map((part) => part.name))];
  }

  isAsked(name: string): boolean {
    return this.#dependencies.isAsked(name);
  }

  /** A part serves, or serves something else: who requires it is served again, anew, or not any more. */
  review(part: string): Promise<void> {
    return this.#reviewBehind(part);
  }

  /** A part has left: who requires it and serves, because it came back meanwhile or could not be withdrawn, leaves, too. */
  left(part: string): Promise<void> {
    return this.#reviewBehind(part, { servingOnly: true });
  }

  /**
   * In the turn of a part that is about to leave: nobody may ask it any more. Resolves when no request to those who require it is
   * under way; undefined: there is nothing to wait for, so that operations stay in the order in which they came.
   */
  withdraw(part: string): Promise<void> | undefined {
    const wholes = this.#dependencies.behind(part).filter((whole) => this.#isServing(whole));
    if (wholes.length === 0) return undefined;
    return this.#withdrawAll(wholes.reverse());
  }

  /** Nothing comes back any more. */
  stop(): void {
    this.#isStopped = true;
  }

  // ---- details below; callers need not read ----

  async #loadParts({ name, message }: ModelDescription): Promise<void> {
    const parts = new Set(dependenciesOf(message).map((part) => part.name));
    await Promise.all(
      [...parts].map(async (part) => {
        // What asks this one in turn is being loaded, or has been, and may be waiting for it.
        if (part === name || this.#dependencies.leadsTo(part, name)) return;
        await this.#load(part, name);
      }),
    );
  }

  async #load(part: string, whole: string): Promise<void> {
    const { turns, loadPart } = this.#parts;
    try {
      await turns.take(part, () => loadPart(part));
    } catch {
      // Told where it happened; the check of the whole says that the part is missing.
      return;
    }
    void this.#reviewBehind(part, { except: whole });
  }

  /** Parts before wholes, and side by side what is not behind one another. A failure is told, and nobody's who waits for this. */
  async #reviewBehind(
    part: string,
    { servingOnly = false, except = '' }: Review = {},
  ): Promise<void> {
    const { turns } = this.#parts;
    const reviewed = new Map<string, Promise<void>>();
    for (const whole of this.#dependencies.behind(part, except)) {
      const before = [...reviewed].flatMap(([name, done]) =>
        this.#dependencies.requires(whole, name) ? [done] : [],
      );
      const review = async (): Promise<void> => {
        await Promise.all(before);
        await turns.take(whole, async () => {
          if (!servingOnly || this.#isServing(whole)) await this.#review(whole);
        });
      };
      reviewed.set(
        whole,
        review().catch(() => undefined),
      );
    }
    await Promise.all(reviewed.values());
  }

  async #review(whole: string): Promise<void> {
    const description = this.#dependencies.wanted(whole);
    if (!description || this.#isStopped) return;
    let checked;
    try {
      checked = this.#checked(description);
    } catch (thrown) {
      if (!this.#isOlderSound(whole)) void this.#parts.withdraw(whole);
      throw this.#parts.failed(whole, RuntimeError.from(thrown));
    }
    await this.#parts.apply(checked);
    this.#dependencies.serves(whole);
  }

  /** What serves goes on where something newer could not take its place. */
  #isOlderSound(whole: string): boolean {
    const older = this.#dependencies.older(whole);
    if (!older) return false;
    try {
      this.#checked(older);
      return true;
    } catch {
      return false;
    }
  }

  /** Outermost first: what is under way there may still ask those inside. */
  async #withdrawAll(wholes: readonly string[]): Promise<void> {
    for (const whole of wholes) await this.#parts.withdraw(whole);
  }

  #isServing(name: string): boolean {
    return this.#parts.registry.readyVersions(name).length > 0;
  }

  #checked(description: ModelDescription): ModelDescription {
    this.#dependencies.checkCycle(description.name);
    this.#dependencies.checkAvailable(description);
    this.#parts.checkParts(description);
    return this.#dependencies.withParts(description);
  }
}

interface Review {
  /** Whoever does not serve is left alone. */
  readonly servingOnly?: boolean;
  /** What waits for the part itself, and looks after what is behind it. */
  readonly except?: string;
}
