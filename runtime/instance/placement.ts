// PURE: which executor thread gets a new instance? A thread of its own while the process may start another; after that the
// thread with the fewest instances, away from the other instances of the same model (on one thread they could never run at
// once) and from those whose batches are long.

export interface ThreadLoad {
  readonly instances: number;
  /** Instances of the model that is being placed. */
  readonly siblings: number;
  /** Instances whose batches are long. */
  readonly long: number;
}

/** The index of a thread in `threads`, or 'new' to start one. */
export function chooseThread(threads: readonly ThreadLoad[], maxThreads: number): number | 'new' {
  const free = threads.findIndex(({ instances }) => instances === 0);
  if (free >= 0) return free;
  if (threads.length < maxThreads) return 'new';
  let best = 0;
  threads.forEach((thread, index) => {
    if (isBetter(thread, threads[best]!)) best = index;
  });
  return best;
}

function isBetter(a: ThreadLoad, b: ThreadLoad): boolean {
  if (a.siblings !== b.siblings) return a.siblings < b.siblings;
  if (a.long !== b.long) return a.long < b.long;
  return a.instances < b.instances;
}
