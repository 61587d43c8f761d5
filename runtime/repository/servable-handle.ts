// A version that serves, with a count of those who use it: it is taken out of memory only when nobody does. One object serves
// as the handle of all its users, so acquiring costs nothing.

import { bug } from '../core/errors.js';
import type { ServableHandle, ServedModel } from '../core/model-catalog.js';
import type { Servable } from '../core/servable.js';

/** What loading a version yields. */
export interface LoadedVersion {
  readonly model: ServedModel;
  readonly servable: Servable;
  /** Refuses what still waits, lets what runs finish, frees the memory. */
  close(): Promise<void>;
}

export class ServingVersion implements ServableHandle {
  readonly model: ServedModel;
  readonly servable: Servable;
  readonly #loaded: LoadedVersion;
  #users = 0;
  #quiesced: (() => void) | undefined;

  constructor(loaded: LoadedVersion) {
    this.#loaded = loaded;
    this.model = loaded.model;
    this.servable = loaded.servable;
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

  /** Waits until nobody uses the version any more, then frees it. Nobody may acquire it meanwhile. */
  async retire(): Promise<void> {
    if (this.#users > 0) await new Promise<void>((resolve) => (this.#quiesced = resolve));
    await this.#loaded.close();
  }
}
