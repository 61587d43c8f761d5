// PURE: instances with long batches and such with short ones do not share a thread; which instance has to move next, and
// where to? Applied again and again until there is nothing to move, or nowhere.

import type { Pace } from './batch-pace.js';

export interface PlacedTenant {
  readonly pace: Pace;
  readonly canMove: boolean;
}

export interface Move<T> {
  readonly tenant: T;
  /** Index of a thread, or 'new' for one that has to be started. */
  readonly to: number | 'new';
}

/** `threads`: the tenants of each. Undefined: nothing can be made better. */
export function nextMove<T extends PlacedTenant>(
  threads: readonly (readonly T[])[],
  maxThreads: number,
): Move<T> | undefined {
  const views = threads.map((tenants, index) => new ThreadView(index, tenants));
  const mixed = views.filter(({ long, short }) => long.length > 0 && short.length > 0);
  const moves = mixed.flatMap((view) => waysOut(view, views, maxThreads));
  const cheapest = moves.sort((a, b) => a.cost - b.cost)[0];
  return cheapest ?? towardsOneKind(mixed, views);
}

// ---- details below; callers need not read ----

class ThreadView<T extends PlacedTenant> {
  readonly long: readonly T[];
  readonly short: readonly T[];

  constructor(
    readonly index: number,
    readonly tenants: readonly T[],
  ) {
    this.long = tenants.filter(({ pace }) => pace === 'long');
    this.short = tenants.filter(({ pace }) => pace === 'short');
  }
}

/** All long ones go where nothing short is, or all short ones where nothing long is. `cost`: sessions to be made. */
function waysOut<T extends PlacedTenant>(
  view: ThreadView<T>,
  views: readonly ThreadView<T>[],
  maxThreads: number,
): (Move<T> & { cost: number })[] {
  const others = views.filter((other) => other !== view);
  const ways = [
    { leaving: view.long, targets: others.filter(({ short }) => short.length === 0) },
    { leaving: view.short, targets: others.filter(({ long }) => long.length === 0) },
  ];
  return ways.flatMap(({ leaving, targets }) => {
    if (!leaving.every(({ canMove }) => canMove)) return [];
    const to = emptiest(targets, maxThreads > views.length);
    return to === undefined ? [] : [{ tenant: leaving[0]!, to, cost: leaving.length }];
  });
}

function emptiest<T extends PlacedTenant>(
  targets: readonly ThreadView<T>[],
  mayStart: boolean,
): number | 'new' | undefined {
  const load = ({ long, short, tenants }: ThreadView<T>): number =>
    (long.length + short.length) * 1e6 + tenants.length;
  const best = [...targets].sort((a, b) => load(a) - load(b))[0];
  if (mayStart && best?.tenants.length !== 0) return 'new';
  return best?.index;
}

/** Every thread is mixed: the one with the fewest short instances becomes one for long ones, step by step. */
function towardsOneKind<T extends PlacedTenant>(
  mixed: readonly ThreadView<T>[],
  views: readonly ThreadView<T>[],
): Move<T> | undefined {
  if (views.length < 2 || mixed.length < views.length) return undefined;
  const movable = mixed.filter(({ short }) => short.every(({ canMove }) => canMove));
  const [view] = [...movable].sort((a, b) => a.short.length - b.short.length);
  if (!view) return undefined;
  const [target] = views
    .filter((other) => other !== view)
    .sort((a, b) => a.long.length - b.long.length);
  return { tenant: view.short[0]!, to: target!.index };
}
