// What a decoupled step of one request answers, on its way through the steps behind it: a flow for each answer. Flows go side by side,
// as far as the gates let them; what they give leaves in the order in which the decoupled step has answered.
//
// What is beside the decoupled step comes once for all flows, so they begin when that is there.

import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import type { StepPlan } from './ensemble-plan.js';

/** The steps behind a decoupled one, on their way for one of its answers. */
export interface Flow {
  /** Begins with that. */
  stepAnswered(step: StepPlan, response: InferenceResponse): void;
  abandon(): void;
}

/** Hears what becomes of a flow. It is over with its end, or when it is left out. */
export interface FlowReply extends Reply {
  /** Nothing has come of it, but it need not: a step that failed may do so. */
  leaveOut(error: RuntimeError): void;
}

/** The run that a decoupled step belongs to. */
export interface FlowSource {
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
  /** Of those that are not over, in order, each of which knows the next. */
  #first: OneFlow | undefined;
  #last: OneFlow | undefined;
  #isOpen = false;
  #isClosed = false;
  #isAbandoned = false;
  #hasAnswered = false;
  #leftOut: RuntimeError | undefined;
  /** The decoupled step has answered at least once. */
  hasAny = false;

  constructor(source: FlowSource, step: StepPlan) {
    this.#source = source;
    this.#step = step;
  }

  response(answer: InferenceResponse): void {
    if (this.#isAbandoned) return;
    this.hasAny = true;
    const flow = new OneFlow(this, answer);
    if (this.#last) this.#last.next = flow;
    else this.#first = flow;
    this.#last = flow;
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
      flow.start(this.#source, this.#step);
      flow = flow === last ? undefined : flow.next;
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
  }

  // ---- details below; callers need not read ----

  isNext(flow: OneFlow): boolean {
    return this.#first === flow;
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

  #drain(): void {
    for (let flow = this.#first; flow; flow = this.#first) {
      flow.release();
      if (!flow.isOver || this.#isAbandoned) break;
      this.#first = flow.next;
    }
    if (this.#first) return;
    this.#last = undefined;
    if (this.#isAbandoned || !this.#isOpen || !this.#isClosed) return;
    this.#isAbandoned = true;
    this.#source.flowsEnded(this.#hasAnswered ? undefined : this.#leftOut);
  }
}

class OneFlow implements FlowReply {
  readonly #flows: EnsembleFlows;
  #answer: InferenceResponse | undefined;
  #flow: Flow | undefined;
  /** What waits for those before it. */
  #held: InferenceResponse[] = [];
  isOver = false;
  next: OneFlow | undefined;

  constructor(flows: EnsembleFlows, answer: InferenceResponse) {
    this.#flows = flows;
    this.#answer = answer;
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
    if (this.#flows.isNext(this)) this.#flows.answered(response);
    else this.#held.push(response);
  }

  end(error?: RuntimeError): void {
    if (error) this.#flows.failed(error);
    else this.#over();
  }

  leaveOut(error: RuntimeError): void {
    this.#over(error);
  }

  release(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    for (const response of held) this.#flows.answered(response);
  }

  #over(leftOut?: RuntimeError): void {
    this.isOver = true;
    this.#flows.over(leftOut);
  }
}
