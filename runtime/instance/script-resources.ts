// What the batches of one instance of a model written in TypeScript hold of the resources that instances share (--rate-limit): they hold
// it while their code runs. Who waits for another model, or for the reader of its stream, has given everything back, as it takes no slot,
// and goes on when all of it is free again. So nobody waits who holds something, and no circle of those who wait can come about. Batches
// that go on come before new ones of their instance; among instances the limiter's order decides.

import type { ResourceClaim, ResourceWaiter } from './rate-limiter.js';

/** A batch that goes on. */
export interface ResourceHolder {
  /** They are its own, to be given back to `claim`. */
  resourcesTaken(claim: ResourceClaim): void;
}

export class ScriptResources implements ResourceWaiter {
  readonly #slotFree: () => void;
  /** In the order in which they came. */
  readonly #goingOn = new Set<ResourceHolder>();
  #claim: ResourceClaim;

  /** `slotFree` is told when a new batch may have what it needs, if that has been awaited. */
  constructor(claim: ResourceClaim, slotFree: () => void) {
    this.#claim = claim;
    this.#slotFree = slotFree;
  }

  /** A new batch may start. */
  get isFree(): boolean {
    return this.#goingOn.size === 0 && this.#claim.isFree;
  }

  /** The less, the sooner its turn among instances. */
  get rank(): number {
    return this.#claim.rank;
  }

  /** For a new batch, only while they are free. Returns what they are to be given back to. */
  take(): ResourceClaim {
    this.#claim.take();
    return this.#claim;
  }

  /** For a batch that has given them back meanwhile; `holder` is told, at once where they are free. */
  takeAgain(holder: ResourceHolder): void {
    this.#goingOn.add(holder);
    this.#goOn();
  }

  /** It does not go on, or needs nothing to do so. */
  withdraw(holder: ResourceHolder): void {
    this.#goingOn.delete(holder);
  }

  /** A new batch waits for them. */
  await(): void {
    this.#claim.await(this);
  }

  /** Another configuration; what has been taken is to be given back where it was taken from. */
  change(claim: ResourceClaim): void {
    this.#claim.leave();
    this.#claim = claim;
    this.#goOn();
  }

  /** The instance is gone, and with it all its batches. */
  leave(): void {
    this.#claim.leave();
  }

  resourcesFree(): void {
    this.#goOn();
    this.#slotFree();
  }

  // ---- details below; callers need not read ----

  #goOn(): void {
    for (const holder of this.#goingOn) {
      if (!this.#claim.isFree) {
        this.#claim.await(this);
        return;
      }
      this.#goingOn.delete(holder);
      this.#claim.takeAgain();
      holder.resourcesTaken(this.#claim);
    }
  }
}
