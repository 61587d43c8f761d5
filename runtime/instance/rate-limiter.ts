// Resources that instances share (--rate-limit=execution_count): one runs only while what it needs is free. PURE but for those it
// tells; time plays no part.
//
// Among those that wait the one goes first that has run least, counted times its priority, and so among the idle instances of a model,
// also where they need no resource. Nobody who ranks behind it takes what it waits for, so instances that need much are not starved by
// those that need little. Whenever somebody waits, something is taken: when that is given back, everybody who can run is told, in the
// order of rank.

import type { RateLimiterSpec } from '../config/instance-group-config.js';
import type { ResourceLimit } from '../config/rate-limit-config.js';
import { RuntimeError } from '../core/errors.js';

/** Told when what it waits for is free; may take it at once. */
export interface ResourceWaiter {
  resourcesFree(): void;
}

/** What one instance needs; undefined: nothing. */
export interface ClaimedResources {
  readonly rateLimiter?: RateLimiterSpec | undefined;
  readonly deviceId: number;
}

export class RateLimiter {
  readonly #limits: readonly ResourceLimit[];
  readonly #claims = new Set<ResourceClaim>();
  readonly #waiting = new Map<ResourceClaim, ResourceWaiter>();
  readonly #taken = new Map<string, number>();
  #arrivals = 0;

  /** Without any limit there is as much of each resource as its neediest instance needs; with one, nothing of those without. */
  constructor(limits: readonly ResourceLimit[]) {
    this.#limits = limits;
  }

  /** For instances that are to come together. @throws RuntimeError INVALID_ARGUMENT when one of them could never run */
  check(wanted: readonly ClaimedResources[]): void {
    const kinds = new Map<string, boolean>();
    for (const { resources } of this.#claims)
      for (const { name, isGlobal } of resources) kinds.set(name, isGlobal);
    for (const { name, isGlobal, device, count } of wanted.flatMap(claimedResources)) {
      const limit = this.#limit(name, device);
      if (limit !== undefined && limit < count) throw tooMuch(name, limit, count);
      if ((kinds.get(name) ?? isGlobal) !== isGlobal) throw bothKinds(name);
      kinds.set(name, isGlobal);
    }
  }

  /** For an instance that has been checked. To be given back with `leave`. */
  join(wanted: ClaimedResources): ResourceClaim {
    const claim = new ResourceClaim(this, wanted);
    this.#claims.add(claim);
    this.#tellWaiters();
    return claim;
  }

  // ---- details below; callers need not read ----

  isFree(claim: ResourceClaim): boolean {
    if (claim.resources.length === 0) return true;
    if (!this.#fits(claim)) return false;
    for (const other of this.#waiting.keys())
      if (other !== claim && other.ranksBefore(claim) && other.shares(claim)) return false;
    return true;
  }

  take(claim: ResourceClaim): void {
    this.#waiting.delete(claim);
    for (const { key, count } of claim.resources)
      this.#taken.set(key, (this.#taken.get(key) ?? 0) + count);
  }

  giveBack(claim: ResourceClaim): void {
    for (const { key, count } of claim.resources)
      this.#taken.set(key, (this.#taken.get(key) ?? 0) - count);
    this.#tellWaiters();
  }

  await(claim: ResourceClaim, waiter: ResourceWaiter): void {
    if (this.#waiting.has(claim)) return;
    claim.waitingSince = this.#arrivals++;
    this.#waiting.set(claim, waiter);
  }

  left(claim: ResourceClaim): void {
    this.#claims.delete(claim);
    this.#waiting.delete(claim);
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    for (let next = this.#nextFree(); next; next = this.#nextFree()) {
      const waiter = this.#waiting.get(next);
      this.#waiting.delete(next);
      waiter?.resourcesFree();
    }
  }

  #nextFree(): ResourceClaim | undefined {
    let best: ResourceClaim | undefined;
    for (const claim of this.#waiting.keys())
      if ((!best || claim.ranksBefore(best)) && this.isFree(claim)) best = claim;
    return best;
  }

  #fits({ resources }: ResourceClaim): boolean {
    return resources.every(({ name, device, key, count }) => {
      const limit = this.#limit(name, device) ?? this.#mostNeeded(key);
      return (this.#taken.get(key) ?? 0) + count <= limit;
    });
  }

  /** Of a global resource the largest that is named for it, whatever the device. Undefined: nothing is limited by a flag. */
  #limit(name: string, device: number | undefined): number | undefined {
    if (this.#limits.length === 0) return undefined;
    const counts = this.#limits
      .filter((limit) => limit.name === name)
      .filter((limit) => device === undefined || (limit.device ?? device) === device)
      .map(({ count }) => count);
    return Math.max(0, ...counts);
  }

  #mostNeeded(key: string): number {
    const needs = [...this.#claims].flatMap(({ resources }) =>
      resources.filter((resource) => resource.key === key).map(({ count }) => count),
    );
    return Math.max(0, ...needs);
  }
}

interface ClaimedResource {
  readonly name: string;
  readonly count: number;
  readonly isGlobal: boolean;
  /** Undefined: global. */
  readonly device: number | undefined;
  /** Equal for resources that come from one pool. */
  readonly key: string;
}

/** The claim of one instance to its resources. */
export class ResourceClaim {
  readonly resources: readonly ClaimedResource[];
  /** @internal order among waiting claims of equal rank */
  waitingSince = Infinity;
  readonly #limiter: RateLimiter;
  readonly #priority: number;
  #executions = 0;

  constructor(limiter: RateLimiter, wanted: ClaimedResources) {
    this.#limiter = limiter;
    this.#priority = wanted.rateLimiter?.priority ?? 1;
    this.resources = claimedResources(wanted);
  }

  /** The instance may run: its resources are free, and nobody waits for them who comes before it. */
  get isFree(): boolean {
    return this.#limiter.isFree(this);
  }

  /** The less, the sooner. */
  get rank(): number {
    return this.#executions * this.#priority;
  }

  /** Only while it is free. To be given back. */
  take(): void {
    this.#executions++;
    this.takeAgain();
  }

  /** As `take`, for an execution that has given them back before its end: it is not counted once more. */
  takeAgain(): void {
    this.waitingSince = Infinity;
    this.#limiter.take(this);
  }

  giveBack(): void {
    this.#limiter.giveBack(this);
  }

  /** `waiter` is told once, when it is free; asking twice is asking once. */
  await(waiter: ResourceWaiter): void {
    if (!this.isFree) this.#limiter.await(this, waiter);
  }

  /** The instance is going; what it has taken is to be given back all the same. */
  leave(): void {
    this.#limiter.left(this);
  }

  ranksBefore(other: ResourceClaim): boolean {
    if (this.rank !== other.rank) return this.rank < other.rank;
    return this.waitingSince < other.waitingSince;
  }

  shares({ resources }: ResourceClaim): boolean {
    return this.resources.some(({ key }) => resources.some((other) => other.key === key));
  }
}

function claimedResources({ rateLimiter, deviceId }: ClaimedResources): ClaimedResource[] {
  return (rateLimiter?.resources ?? []).map(({ name, isGlobal, count }) => {
    const device = isGlobal ? undefined : deviceId;
    return { name, count, isGlobal, device, key: `${device ?? 'global'}:${name}` };
  });
}

// Texts: Triton's.

function tooMuch(name: string, limit: number, count: number): RuntimeError {
  const text =
    `Resource count for "${name}" is limited to ${limit} which will prevent scheduling of one or more model instances, the ` +
    `minimum required count is ${count}`;
  return new RuntimeError('INVALID_ARGUMENT', text);
}

function bothKinds(name: string): RuntimeError {
  const text = `Resource "${name}" is present as both global and device-specific resource in the model configuration.`;
  return new RuntimeError('INVALID_ARGUMENT', text);
}
