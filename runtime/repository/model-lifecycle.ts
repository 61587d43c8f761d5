// The life of one version of a model, from the first attempt to load it. A version that is loaded anew has a new lifecycle; the
// old one serves until then.
//
//   new ─▶ loading ─▶ ready ─▶ draining ─▶ ended
//              └────▶ failed ◀─┘              (warm-up is part of loading; a ready version fails when its instances are lost)

import { bug } from '../core/errors.js';
import type { ModelState } from '../core/model-control.js';
import type { VersionSource } from './model-description.js';
import type { ServingVersion } from './servable-handle.js';

export type LifecycleState =
  | { readonly kind: 'new' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly serving: ServingVersion }
  | { readonly kind: 'draining'; readonly serving: ServingVersion }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ended' };

type Kind = LifecycleState['kind'];

const TRANSITIONS: Record<Kind, readonly Kind[]> = {
  new: ['loading'],
  loading: ['ready', 'failed', 'ended'],
  ready: ['draining', 'failed'],
  draining: ['ended'],
  failed: [],
  ended: [],
};

export class ModelLifecycle {
  readonly version: number;
  /** Changes while it is ready, when a configuration is taken over in place. */
  source: VersionSource;
  /** While it is ready: why a newer attempt at it failed; '': none did. */
  reloadFailure = '';
  #state: LifecycleState = { kind: 'new' };

  constructor(version: number, source: VersionSource) {
    this.version = version;
    this.source = source;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Undefined when it is not ready. */
  get serving(): ServingVersion | undefined {
    return this.#state.kind === 'ready' ? this.#state.serving : undefined;
  }

  transition(to: LifecycleState): void {
    const from = this.#state.kind;
    if (!TRANSITIONS[from].includes(to.kind))
      throw bug(`version ${this.version} cannot go from ${from} to ${to.kind}`);
    this.#state = to;
  }

  /** The smaller set of states that users see. */
  get publicState(): { readonly state: ModelState; readonly reason: string } {
    switch (this.#state.kind) {
      case 'new':
      case 'loading':
        return { state: 'LOADING', reason: '' };
      case 'ready':
        return { state: 'READY', reason: '' };
      case 'draining':
        return { state: 'UNLOADING', reason: '' };
      case 'failed':
        return { state: 'UNAVAILABLE', reason: this.#state.reason };
      case 'ended':
        return { state: 'UNAVAILABLE', reason: UNLOADED };
    }
  }
}

/** The reason of a version that was taken out on purpose. */
export const UNLOADED = 'unloaded';
