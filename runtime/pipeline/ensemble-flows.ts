// What a decoupled step of one request answers, on its way through the steps behind it: a flow for each answer. Flows go side by side,
// as far as the gates let them; what they give leaves in the order in which the decoupled step has answered.
//
// What is beside the decoupled step comes once for all flows, so they begin when that is there. Behind another decoupled step nothing
// leaves before it is the turn of the flow that this is a part of: what waits, waits in one place.

import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import { bytesIn } from '../core/tensor.js';
import type { StepPlan } from './ensemble-plan.js';
import { FlowPace, type PacePlace, type PacedRun } from './flow-pace.js';

/** The steps behind a decoupled one, on their way for one of its answers. */
export interface Flow {
  /** Begins with that. */
  stepAnswered(step: StepPlan, response: InferenceResponse): void;
  /** Nothing of the request is before it any more. */
  takeTurn(): void;
  abandon(): void;
}

/** Hears what becomes of a flow. It is over with its end, or when it is left out. */
export interface FlowReply extends Reply {
  /** Nothing of the request is before the flow. */
  readonly isTurn: boolean;
  /** Nothing has come of it, but it need not: a step that failed may do so. */
  leaveOut(error: RuntimeError): void;
}

/** The run that a decoupled step belongs to. */
export interface FlowSource extends PacedRun {
  flowFor(answer: InferenceResponse, reply: FlowReply): Flow;
  /** In order. */
  flowAnswered(response: InferenceResponse): void;
  flowFailed(error: RuntimeError): void;
  /** The decoupled step has said its last: to be followed by `close`, or by the end of the run. */
  streamEnded(step: StepPlan, error: RuntimeError | undefined): void;
  /** After that. */
  stepLeft(step: StepPlan): void;
  /** It has, and all flows are over. `leftOut`: why the first one is, of those that are, if nothing else was answered. */
  flowsEnded(leftOut: RuntimeError | undefined): void;
}

/** Hears the decoupled step. */
export class EnsembleFlows implements Reply {
  readonly #source: FlowSource;
  readonly #step: StepPlan;
  /** How fast the decoupled step may answer. */
  readonly pace: FlowPace;
  /** Of those that are not over, in order, each of which knows the next. */
  #first: OneFlow | undefined;
  #last: OneFlow | undefined;
  #isOpen = false;
  #isClosed = false;
  #isAbandoned = false;
  #isDraining = false;
  #hasAnswered = false;
  #leftOut: RuntimeError | undefined;
  /** The decoupled step has answered at least once. */
  hasAny = false;

  constructor(source: FlowSource, step: StepPlan, place: PacePlace) {
    this.#source = source;
    this.#step = step;
    this.pace = new FlowPace(source, step.flows, place);
  }

  response(answer: InferenceResponse): void {
    if (this.#isAbandoned) return;
    this.hasAny = true;
    const flow = new OneFlow(this, answer);
    if (this.#last) this.#last.next = flow;
    else this.#first = flow;
    this.#last = flow;
    this.pace.entered(flow.bytes);
    if (this.#isOpen) flow.start(this.#source, this.#step);
  }

  end(error?: RuntimeError): void {
    this.#source.streamEnded(this.#step, error);
    this.#source.stepLeft(this.#step);
  }

  /** All that flows need is there. */
  open(): void {
    this.#isOpen = true;
    // Those that come meanwhile begin by themselves.
    const last = this.#last;
    for (let flow = this.#first; flow && !this.#isAbandoned;) {
      const next: OneFlow | undefined = flow === last ? undefined : flow.next;
      flow.start(this.#source, this.#step);
      flow = next;
    }
    this.#drain();
  }

  /** There will be no further answer. */
  close(): void {
    this.#isClosed = true;
    this.#drain();
  }

  /** Nobody waits for them any more. */
  abandon(): void {
    this.#isAbandoned = true;
    for (let flow = this.#first; flow; flow = flow.next) flow.abandon();
    this.#first = this.#last = undefined;
    this.pace.stop();
  }

  /** It is the turn of the run. */
  takeTurn(): void {
    this.#drain();
  }

  // ---- details below; callers need not read ----

  isTurnOf(flow: OneFlow): boolean {
    return this.#first === flow && this.#source.isTurn;
  }

  answered(response: InferenceResponse): void {
    if (this.#isAbandoned) return;
    this.#hasAnswered = true;
    this.#source.flowAnswered(response);
  }

  failed(error: RuntimeError): void {
    if (!this.#isAbandoned) this.#source.flowFailed(error);
  }

  over(leftOut?: RuntimeError): void {
    this.#leftOut ??= leftOut;
    this.#drain();
  }

  /** In a loop and not one in the other: flows may end as it comes to be their turn. */
  #drain(): void {
    if (this.#isDraining || !this.#source.isTurn) return;
    this.#isDraining = true;
    for (let flow = this.#first; flow; flow = this.#first) {
      flow.takeTurn();
      if (!flow.isOver || this.#isAbandoned) break;
      this.#shift(flow);
    }
    this.#isDraining = false;
    if (this.#isAbandoned) return;
    if (this.#first || !this.#isOpen || !this.#isClosed) this.pace.changed();
    else this.#finish();
  }

  /** It knows no other any more: whoever holds it would hold all that came after it. */
  #shift(flow: OneFlow): void {
    this.#first = flow.next;
    if (!flow.next) this.#last = undefined;
    flow.next = undefined;
    this.pace.left(flow.bytes);
  }

  #finish(): void {
    this.#isAbandoned = true;
    this.pace.stop();
    this.#source.flowsEnded(this.#hasAnswered ? undefined : this.#leftOut);
  }
}

class OneFlow implements FlowReply {
  readonly #flows: EnsembleFlows;
  /** Of the answer of the decoupled step. */
  readonly bytes: number;
  #answer: InferenceResponse | undefined;
  #flow: Flow | undefined;
  /** Waits for those before it. */
  #held: InferenceResponse | undefined;
  #hasTurn = false;
  isOver = false;
  next: OneFlow | undefined;

  constructor(flows: EnsembleFlows, answer: InferenceResponse) {
    this.#flows = flows;
    this.#answer = answer;
    this.bytes = bytesIn(answer.outputs);
  }

  get isTurn(): boolean {
    return this.#flows.isTurnOf(this);
  }

  start(source: FlowSource, step: StepPlan): void {
    const answer = this.#answer!;
    this.#answer = undefined;
    this.#flow = source.flowFor(answer, this);
    this.#flow.stepAnswered(step, answer);
  }

  abandon(): void {
    this.#flow?.abandon();
  }

  response(response: InferenceResponse): void {
    // Further ones come only when it is its turn: those of another decoupled step, which wait for that there.
    if (this.isTurn) this.#flows.answered(response);
    else this.#held = response;
  }

  end(error?: RuntimeError): void {
    if (error) this.#flows.failed(error);
    else this.#over();
  }

  leaveOut(error: RuntimeError): void {
    this.#over(error);
  }

  takeTurn(): void {
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#flows.answered(held);
    else this.#flow?.takeTurn();
  }

  #over(leftOut?: RuntimeError): void {
    this.isOver = true;
    this.#flows.over(leftOut);
  }
}
