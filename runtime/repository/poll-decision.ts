// PURE: what to do when the repositories have been looked at. A model is taken up, or given up, when its directory has been the
// same over two looks that are far enough apart: a copy that is still running and a directory that is away for a moment while
// it is replaced are no changes. What was taken up once is not tried again until it changes, even if it failed.

import type { RepositoryState } from './repository-state.js';

/** What is known of one model from the looks before. */
export interface FollowedModel {
  /** The state that was taken up last; NOT_THERE when there was none. */
  readonly taken: string;
  /** Another state, not taken up yet, and when it was first seen. */
  readonly change?: { readonly state: string; readonly since: number };
}

export type FollowedModels = ReadonlyMap<string, FollowedModel>;

export interface PollDecision {
  /** There, new or changed. */
  readonly load: readonly string[];
  /** Not there any more. */
  readonly unload: readonly string[];
  /** For the next decision. Models that are gone for good are not in it. */
  readonly followed: FollowedModels;
  /** Something has changed and must be looked at again soon. */
  readonly isSettling: boolean;
}

export const NOT_THERE = '';

/** The models of `state` are loaded without waiting for anything, as at the start. */
export function followAll(state: RepositoryState): FollowedModels {
  return new Map([...state].map(([name, taken]) => [name, { taken }]));
}

export function decidePoll(
  before: FollowedModels,
  seen: { readonly state: RepositoryState; readonly at: number },
  settleMs: number,
): PollDecision {
  const load: string[] = [];
  const unload: string[] = [];
  const followed = new Map<string, FollowedModel>();
  for (const name of new Set([...before.keys(), ...seen.state.keys()])) {
    const state = seen.state.get(name) ?? NOT_THERE;
    const next = nextOf(before.get(name) ?? { taken: NOT_THERE }, { state, at: seen.at }, settleMs);
    if (next.isTakenUp) (state === NOT_THERE ? unload : load).push(name);
    if (next.model.taken !== NOT_THERE || next.model.change) followed.set(name, next.model);
  }
  const isSettling = [...followed.values()].some(({ change }) => change !== undefined);
  return { load, unload, followed, isSettling };
}

function nextOf(
  { taken, change }: FollowedModel,
  { state, at }: { state: string; at: number },
  settleMs: number,
): { model: FollowedModel; isTakenUp: boolean } {
  if (state === taken) return { model: { taken }, isTakenUp: false };
  if (change?.state !== state)
    return { model: { taken, change: { state, since: at } }, isTakenUp: false };
  if (at - change.since < settleMs) return { model: { taken, change }, isTakenUp: false };
  return { model: { taken: state }, isTakenUp: true };
}
