// Something a thread of a model has been asked, until it has answered: it has a limited time, which stands still while other models
// are asked for it, and its own calls to those end with it. Where resources are limited, it holds them whenever its time runs.

import { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import { TimerNode, type TimerWheel } from '../core/timer-wheel.js';
import type { ScriptBatch, ScriptEntry } from '../scheduler/script-runner.js';
import type { ScriptOutput } from '../worker/script-protocol.js';
import type { ResourceClaim } from './rate-limiter.js';
import type { ResourceHolder, ScriptResources } from './script-resources.js';
import type { StreamPace } from './stream-pace.js';

export interface TaskParts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly limitMs: number;
  /** Which it takes, being free; undefined: it needs none. */
  readonly resources?: ScriptResources | undefined;
  readonly settle: (outcome: ScriptOutput | RuntimeError) => void;
  /** Told when it has had its time. */
  readonly overdue: (task: ScriptTask) => void;
}

export class ScriptTask extends TimerNode implements ResourceHolder {
  readonly id: number;
  /** Undefined unless it is a batch. */
  readonly batch: ScriptBatch | undefined;
  /** Of the answers of a stream; undefined: there is one answer. */
  pace: StreamPace | undefined;
  readonly #parts: TaskParts;
  /** Under which other models are asked: for all requests (-1), or for one of them. */
  readonly #scopes = new Map<number, Call>();
  #waiting = 0;
  /** Where its resources are to be given back; undefined: it holds none. */
  #held: ResourceClaim | undefined;
  /** What it does when it has them again; undefined: it does not wait for them. */
  #goingOn: (() => void) | undefined;
  #isSettled = false;
  #restMs: number;
  #since: number;

  constructor(id: number, batch: ScriptBatch | undefined, parts: TaskParts) {
    super();
    this.id = id;
    this.batch = batch;
    this.#parts = parts;
    this.#restMs = parts.limitMs;
    this.#since = parts.clock.now();
    this.#held = parts.resources?.take();
    parts.wheel.schedule(this, this.#since + this.#restMs);
  }

  /** It waits for others, models or its reader, and for nothing else, or for the resources to go on after that. */
  get isWaiting(): boolean {
    return this.#waiting > 0 || this.#goingOn !== undefined;
  }

  get limitMs(): number {
    return this.#parts.limitMs;
  }

  /** One of the answers of its stream, of so many bytes: it has shown that it goes on, and its time begins anew. */
  streamed(outputs: readonly Tensor[], bytes: number): void {
    this.#restMs = this.#parts.limitMs;
    if (!this.isWaiting) this.#goOn();
    this.batch?.streamed(outputs);
    this.pace?.answered(bytes);
  }

  /** The calls that wait for what is asked for request `index`, and the call under which it is asked. */
  scope(index: number): { readonly parent: Call; readonly callers: readonly Call[] } {
    const entries = this.batch?.entries ?? [];
    const asked = index < 0 ? entries : entries.slice(index, index + 1);
    let parent = this.#scopes.get(index);
    if (!parent) this.#scopes.set(index, (parent = new ScopeCall(this.#parts.clock.now(), asked)));
    return { parent, callers: asked.map(({ call }) => call) };
  }

  /** Its time stands still, until `goesOn` has been called as often. */
  waits(): void {
    if (this.#waiting++ > 0) return;
    if (this.#goingOn) {
      // What has been answered was not the last: that needs no resources.
      this.#stopWaiting();
      return;
    }
    this.#restMs -= this.#parts.clock.now() - this.#since;
    this.#parts.wheel.cancel(this);
    this.#giveBack();
  }

  /** `then` is called when its code may run again: at once unless it waits for nothing else now and its resources are not free. */
  goesOn(then: () => void): void {
    const { resources } = this.#parts;
    // Other models may answer when nobody waits for it any more.
    if (--this.#waiting > 0 || this.#isSettled) then();
    else if (resources) {
      this.#goingOn = then;
      resources.takeAgain(this);
    } else {
      this.#goOn();
      then();
    }
  }

  resourcesTaken(claim: ResourceClaim): void {
    const then = this.#goingOn;
    this.#goingOn = undefined;
    this.#held = claim;
    this.#goOn();
    then?.();
  }

  /** The thread has answered, or never will. */
  settle(outcome: ScriptOutput | RuntimeError): void {
    this.#isSettled = true;
    this.#parts.wheel.cancel(this);
    for (const scope of this.#scopes.values()) scope.cancel();
    this.#giveBack();
    this.#stopWaiting();
    this.#parts.settle(outcome);
  }

  /** @internal */
  onDue(): void {
    this.#parts.overdue(this);
  }

  // ---- details below; callers need not read ----

  #giveBack(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.giveBack();
  }

  /** It goes on as it is. */
  #stopWaiting(): void {
    const then = this.#goingOn;
    this.#goingOn = undefined;
    this.#parts.resources?.withdraw(this);
    then?.();
  }

  #goOn(): void {
    this.#since = this.#parts.clock.now();
    this.#parts.wheel.schedule(this, this.#since + Math.max(this.#restMs, 0));
  }
}

/** Due when the last of those is that wait for it, and cancelled when all of them are. */
class ScopeCall extends Call {
  #waiting: number;

  constructor(now: number, entries: readonly ScriptEntry[]) {
    super(now, Math.max(...entries.map(({ call }) => call.deadline)));
    this.#waiting = entries.length;
    for (const { call } of entries) {
      if (call.callers.length > this.callers.length) this.callers = call.callers;
      // The spans of one who has gone have been made.
      if (!call.cancelled) this.trace ??= call.trace;
      call.onCancel(this);
    }
  }

  override callCancelled(): void {
    if (--this.#waiting <= 0) this.cancel();
  }
}
