// What a benchmark has started or made, ended in reverse order, however it ends itself.

export interface Cleanup {
  /** `thing`, which `end` will end. */
  enter<Thing>(thing: Thing, end: (thing: Thing) => unknown): Thing;
}

/** Whatever happens in `act`, everything it has entered is ended afterwards. */
export async function cleaningUp<T>(act: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const leave: (() => unknown)[] = [];
  const enter = <Thing>(thing: Thing, end: (thing: Thing) => unknown): Thing => {
    leave.unshift(() => end(thing));
    return thing;
  };
  // On the way out, the processes that have been started are killed.
  const exit = (): never => process.exit(1);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, exit);
    leave.push(() => process.off(signal, exit));
  }
  try {
    return await act({ enter });
  } finally {
    for (const end of leave) await end();
  }
}

/** Ends what can be stopped, such as a process. */
export function stop(thing: { stop(): Promise<unknown> }): Promise<unknown> {
  return thing.stop();
}
