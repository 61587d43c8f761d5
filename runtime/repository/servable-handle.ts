// A version that serves, with a count of those who use it: it is taken out of memory only when nobody does. One object serves
// as the handle of all its users, so acquiring costs nothing.

import { bug } from '../core/errors.js';
import type { RuntimeError } from '../core/errors.js';
import type { ServableHandle, ServedModel } from '../core/model-catalog.js';
import type { Servable } from '../core/servable.js';
import type { ModelDescription } from './model-description.js';

/** What loading a version yields. */
export interface LoadedVersion {
  readonly model: ServedModel;
  readonly servable: Servable;
  /**
   * Takes over a configuration that differs in instance_group alone (and in version_policy, which is only shown), while
   * requests are served; resolves with what users see from then on. All or nothing: when it rejects, the old instances serve.
   */
  update(description: ModelDescription): Promise<ServedModel>;
  /**
   * `listener` is called at most once, when its instances are gone for good (their thread kept dying): the version cannot serve
   * any more. It is called at once if that has happened already.
   */
  onLost(listener: (error: RuntimeError) => void): void;
  /** Refuses what still waits, lets what runs finish, frees the memory. */
  close(): Promise<void>;
}

/** Makes one version ready to serve. @throws RuntimeError that says what is wrong with it */
export type LoadVersion = (model: ModelDescription, version: number) => Promise<LoadedVersion>;

export class ServingVersion implements ServableHandle {
  readonly servable: Servable;
  readonly #loaded: LoadedVersion;
  #model: ServedModel;
  #description: ModelDescription;
  #users = 0;
  #quiesced: (() => void) | undefined;

  constructor(loaded: LoadedVersion, description: ModelDescription) {
    this.#loaded = loaded;
    this.#description = description;
    this.#model = loaded.model;
    this.servable = loaded.servable;
  }

  get model(): ServedModel {
    return this.#model;
  }

  /** What it was loaded from or has been changed to since. */
  get description(): ModelDescription {
    return this.#description;
  }

  get users(): number {
    return this.#users;
  }

  acquire(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (this.#users === 0)
      throw bug(`model '${this.model.name}' was released more often than acquired`);
    this.#users--;
    if (this.#users === 0) this.#quiesced?.();
  }

  /** As LoadedVersion; who holds a handle sees what it resolves with, too. */
  async update(description: ModelDescription): Promise<void> {
    this.#model = await this.#loaded.update(description);
    this.#description = description;
  }

  /** Waits until nobody uses the version any more, then frees it. Nobody may acquire it meanwhile. */
  async retire(): Promise<void> {
    if (this.#users > 0) await new Promise<void>((resolve) => (this.#quiesced = resolve));
    await this.#loaded.close();
  }
}
