// How fast a decoupled step of an ensemble may answer: it is held while as many of its answers as may be are on their way through the
// steps behind it or wait for those before them, or while the caller of the whole is behind.
//
// Behind another decoupled step one and the same step runs for several flows. All but the one whose turn it is share one bound; that one
// has its own, as the others wait for it. So nothing waits in a circle, and what a request holds does not grow with its flows.

import { MOST_UNREAD, MOST_UNREAD_BYTES, type Pace, type PaceListener } from '../core/call.js';

/** Answers of one decoupled step that may be on their way. */
export interface FlowBounds {
  /** However large they are. */
  readonly always: number;
  /** While they are small: all of them together MOST_UNREAD_BYTES. */
  readonly most: number;
}

/** Where max_inflight_requests says nothing: as many as fill a batch. */
const UNSET: FlowBounds = { always: MOST_UNREAD, most: 4 * MOST_UNREAD };

/** `maxInflight`: what each of the `stepsBehind` the decoupled one works on at once. While all of them do, some more wait for them. */
export function flowBounds(maxInflight: number, stepsBehind: number): FlowBounds {
  if (maxInflight === Infinity) return UNSET;
  const always = maxInflight * Math.max(stepsBehind, 1);
  return { always, most: always + MOST_UNREAD };
}

/** The run that a decoupled step belongs to. */
export interface PacedRun {
  /** Nothing of the request is before what it answers. */
  readonly isTurn: boolean;
}

export interface PacePlace {
  /** Of the caller of the whole; undefined: he takes answers as they come. */
  readonly reader: Pace | undefined;
  /** Of the decoupled step that this one is behind, if it is behind one. */
  readonly outer: FlowPace | undefined;
}

export class FlowPace implements Pace, PaceListener {
  readonly #run: PacedRun;
  readonly #bounds: FlowBounds;
  readonly #reader: Pace | undefined;
  /** Of the whole request: by how many decoupled steps are before one. */
  readonly #tallies: Tally[];
  readonly #depth: number;
  readonly #mine = new Tally();
  readonly #shared: Tally;
  readonly #listeners: PaceListener[] = [];
  #waitsForReader = false;
  #isOver = false;

  constructor(run: PacedRun, bounds: FlowBounds, { reader, outer }: PacePlace) {
    this.#run = run;
    this.#bounds = bounds;
    this.#reader = reader;
    this.#tallies = outer ? outer.#tallies : [];
    this.#depth = outer ? outer.#depth + 1 : 0;
    this.#shared = this.#tallies[this.#depth] ??= new Tally();
  }

  get isBehind(): boolean {
    if (this.#isOver) return false;
    if (this.#mine.isFull(this.#bounds)) return true;
    return this.#run.isTurn ? this.#isReaderBehind() : this.#shared.isFull(this.#bounds);
  }

  onReady(listener: PaceListener): void {
    this.#listeners.push(listener);
    this.#watch();
  }

  readerReady(): void {
    this.#waitsForReader = false;
    this.changed();
  }

  /** An answer of so many bytes has come. */
  entered(bytes: number): void {
    this.#mine.add(1, bytes);
    this.#shared.add(1, bytes);
  }

  /** All that has become of it has left. To be followed by `changed`. */
  left(bytes: number): void {
    this.#mine.add(-1, -bytes);
    this.#shared.add(-1, -bytes);
  }

  /** Answers have left, or it is the turn of the run: those who were held go on if they may. */
  changed(): void {
    if (this.#listeners.length === 0) return;
    if (this.isBehind) this.#watch();
    else for (const listener of this.#listeners.splice(0)) listener.readerReady();
  }

  /** Nobody waits for what is on its way any more. */
  stop(): void {
    this.#shared.add(-this.#mine.flows, -this.#mine.bytes);
    this.#mine.add(-this.#mine.flows, -this.#mine.bytes);
    this.#isOver = true;
    this.changed();
  }

  // ---- details below; callers need not read ----

  #isReaderBehind(): boolean {
    return this.#reader !== undefined && this.#reader.isBehind;
  }

  /** A reader who is ready tells nobody. */
  #watch(): void {
    if (this.#waitsForReader || !this.#isReaderBehind()) return;
    this.#waitsForReader = true;
    this.#reader!.onReady(this);
  }
}

// ---- details below; callers need not read ----

class Tally {
  flows = 0;
  bytes = 0;

  add(flows: number, bytes: number): void {
    this.flows += flows;
    this.bytes += bytes;
  }

  isFull({ always, most }: FlowBounds): boolean {
    return this.flows >= most || (this.flows >= always && this.bytes > MOST_UNREAD_BYTES);
  }
}
