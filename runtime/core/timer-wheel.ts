// Many deadlines on one timer: a hashed wheel of one-millisecond slots (Varghese & Lauck 1987, scheme 6). Scheduling and
// cancelling are O(1), so a deadline per request costs next to nothing, and a cancelled one leaves nothing behind.
// Invariant: the clock's timer is armed iff the wheel holds a node, for a tick no later than the earliest one due.

import type { Clock, Timer } from './clock.js';

const SLOTS = 1024;

/** Something with a due time; may be on one wheel at a time. */
export abstract class TimerNode {
  /** @internal links of the slot's list, and the time it is due; owned by the wheel */
  next: TimerNode | undefined;
  previous: TimerNode | undefined;
  dueAt = Infinity;
  scheduled = false;

  /** It is on a wheel that has not come to it yet, though its time has. */
  isOverdue(now: number): boolean {
    return this.scheduled && this.dueAt <= now;
  }

  /** Called once at `dueAt` or up to about a millisecond later, after the node has left the wheel. */
  abstract onDue(): void;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (TimerNode | undefined)[] = new Array<TimerNode | undefined>(SLOTS).fill(
    undefined,
  );
  readonly #fire = (): void => this.#onTimer();
  #size = 0;
  #timer: Timer;
  #armedTick = Infinity;
  #doneTick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  /** `dueAt` may be past: the node is due at the next tick. Infinity is never due and not kept. */
  schedule(node: TimerNode, dueAt: number): void {
    if (node.scheduled) this.cancel(node);
    if (dueAt === Infinity) return;
    const nowTick = Math.floor(this.#clock.now());
    if (this.#size === 0) this.#doneTick = nowTick;
    const tick = Math.max(Math.ceil(dueAt), this.#doneTick + 1);
    node.dueAt = dueAt;
    node.scheduled = true;
    const slot = tick % SLOTS;
    node.next = this.#slots[slot];
    if (node.next) node.next.previous = node;
    this.#slots[slot] = node;
    this.#size++;
    if (tick < this.#armedTick) this.#arm(tick, nowTick);
  }

  cancel(node: TimerNode): void {
    if (!node.scheduled) return;
    if (node.previous) node.previous.next = node.next;
    else this.#slots[this.#slotHolding(node)] = node.next;
    if (node.next) node.next.previous = node.previous;
    node.next = node.previous = undefined;
    node.scheduled = false;
    this.#size--;
    if (this.#size === 0) this.#disarm();
  }

  // ---- details below; callers need not read ----

  /** A node was put into the slot of its due tick, or of the next tick if it was already late then. */
  #slotHolding(node: TimerNode): number {
    const slot = Math.ceil(node.dueAt) % SLOTS;
    if (this.#slots[slot] === node) return slot;
    return this.#slots.indexOf(node);
  }

  #arm(tick: number, nowTick: number): void {
    this.#disarm();
    this.#armedTick = tick;
    this.#timer = this.#clock.setTimer(this.#fire, Math.max(tick - nowTick, 1));
  }

  #disarm(): void {
    if (this.#armedTick === Infinity) return;
    this.#clock.clearTimer(this.#timer);
    this.#armedTick = Infinity;
  }

  #onTimer(): void {
    this.#armedTick = Infinity;
    const now = this.#clock.now();
    const nowTick = Math.floor(now);
    const due = this.#takeDue(now, nowTick);
    this.#doneTick = nowTick;
    // Before the callbacks run, because they may schedule again.
    this.#armNext(nowTick);
    for (const node of due) node.onDue();
  }

  #takeDue(now: number, nowTick: number): TimerNode[] {
    const due: TimerNode[] = [];
    const from = Math.max(this.#doneTick + 1, nowTick - SLOTS + 1);
    for (let tick = from; tick <= nowTick; tick++) {
      let node = this.#slots[tick % SLOTS];
      while (node) {
        const next: TimerNode | undefined = node.next;
        if (node.dueAt <= now) due.push(node);
        node = next;
      }
    }
    for (const node of due) this.cancel(node);
    return due;
  }

  /** The next slot that is not empty; its nodes may belong to a later turn of the wheel, which wakes us once in vain. */
  #armNext(nowTick: number): void {
    if (this.#size === 0) return;
    for (let tick = nowTick + 1; tick <= nowTick + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS]) {
        this.#arm(tick, nowTick);
        return;
      }
    }
  }
}
