// The life of one version of a model, from the first attempt to load it. A version that is loaded anew has a new lifecycle; the
// old one serves until then.
//
//   new ─▶ loading ─▶ ready ─▶ draining ─▶ ended
//              └────▶ failed              (warm-up is part of loading)

import { bug } from '../core/errors.js';
import type { ModelState } from '../core/model-control.js';
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
  ready: ['draining'],
  draining: ['ended'],
  failed: [],
  ended: [],
};

export class ModelLifecycle {
  readonly version: number;
  /** Of the files it is loaded from. */
  readonly fingerprint: string;
  #state: LifecycleState = { kind: 'new' };

  constructor(version: number, fingerprint: string) {
    this.version = version;
    this.fingerprint = fingerprint;
  }

  get state(): LifecycleState {
    return this.#state;
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
