// One request on its way through the steps of an ensemble; or one answer of a decoupled step (ensemble-flows) through those behind it.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import {
  worstOf,
  type Degradation,
  type InferenceRequest,
  type InferenceResponse,
} from '../core/inference.js';
import { Leg, type LegTarget } from '../core/leg.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { ensembleAnswer, nothingCame } from './ensemble-answer.js';
import { EnsembleFlows, type Flow, type FlowReply, type FlowSource } from './ensemble-flows.js';
import type { EnsemblePlan, StepPlan } from './ensemble-plan.js';
import { StepGates, type Entrant } from './step-gates.js';
import { StepReply, rowsOf, tensorNamed } from './step-reply.js';
import { stepRequest } from './step-request.js';

export interface EnsembleParts {
  readonly name: string;
  readonly version: string;
  readonly batched: boolean;
  readonly plan: EnsemblePlan;
  /** By step. */
  readonly targets: readonly LegTarget[];
  readonly statistics: ModelStatistics;
  readonly clock: Clock;
}

/** Absent: it will not come. Undefined: it has not come yet. */
const ABSENT = null;

export interface AskedRequest {
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly reply: Reply;
  /** Of a flow: the run whose decoupled step has answered. */
  readonly flow?: { readonly of: EnsembleRun; readonly reply: FlowReply; readonly rows: number };
}

export class EnsembleRun implements Flow, FlowSource, Entrant {
  readonly #parts: EnsembleParts;
  readonly #asked: AskedRequest;
  readonly #rows: number;
  readonly #needed: readonly boolean[];
  readonly #slots: (Tensor | typeof ABSENT | undefined)[];
  /** By step: how many of its tensors have not come yet. */
  readonly #missing: number[];
  readonly #legs: Leg[] = [];
  /** Steps under way, and one for the start itself. */
  #running = 1;
  #isOver = false;
  /** The first one, of a step that did not end the request. */
  #error: RuntimeError | undefined;
  #degradation: Degradation | undefined;
  /** Undefined: steps work on any number of flows at once. */
  readonly #gates: StepGates | undefined;
  /** Set once a decoupled step has begun: its answers are the answers. */
  #flows: EnsembleFlows | undefined;
  /** Why the decoupled step has ended; told when the flows of what it answered before are over. */
  #streamError: RuntimeError | undefined;

  /** `needed`: by step, whether the request needs it. */
  constructor(parts: EnsembleParts, needed: readonly boolean[], asked: AskedRequest) {
    const { plan, batched } = parts;
    this.#parts = parts;
    this.#asked = asked;
    const { request, flow } = asked;
    this.#needed = needed;
    if (flow) {
      this.#rows = flow.rows;
      this.#slots = flow.of.#slots.slice();
      this.#missing = flow.of.#missing.slice();
      this.#gates = flow.of.#gates;
      this.#error = flow.of.#error;
      this.#degradation = flow.of.#degradation;
      return;
    }
    this.#rows = rowsOf(batched, request.inputs);
    this.#slots = new Array<Tensor | undefined>(plan.slots).fill(undefined);
    this.#missing = plan.reads.slice();
    const { maxInflight, steps } = plan;
    if (maxInflight !== Infinity) this.#gates = new StepGates(steps, maxInflight);
  }

  /** The inputs are in the order of the configuration; optional ones may be left out. */
  start(): void {
    const { inputs } = this.#asked.request;
    let next = 0;
    for (const { name, slot } of this.#parts.plan.inputs) {
      const isGiven = inputs[next]?.name === name;
      this.#settle(slot, isGiven ? inputs[next++]! : ABSENT);
    }
    this.#stepOver();
  }

  /** Every slot exactly once. */
  #settle(slot: number, tensor: Tensor | typeof ABSENT): void {
    this.#slots[slot] = tensor;
    for (const step of this.#parts.plan.readers[slot]!)
      if (--this.#missing[step]! === 0) this.#ready(step);
  }

  #ready(index: number): void {
    if (this.#isOver || !this.#needed[index]) return;
    const step = this.#parts.plan.steps[index]!;
    if (!this.#isRunnable(step)) {
      this.#leaveOut(step);
      return;
    }
    this.#running++;
    if (this.#gates) this.#gates.admit(index, this);
    else this.enter(index);
  }

  enter(index: number): void {
    if (!this.#isOver) this.#run(this.#parts.plan.steps[index]!, this.#parts.targets[index]!);
  }

  #isRunnable({ reads }: StepPlan): boolean {
    for (const { optional, slot } of reads) if (!optional && !this.#slots[slot]) return false;
    return true;
  }

  #leaveOut(step: StepPlan): void {
    for (const { slot } of step.writes) this.#settle(slot, ABSENT);
  }

  #run(step: StepPlan, target: LegTarget): void {
    const { call, request } = this.#asked;
    const now = target.clock.now();
    if (call.deadline - now <= target.figures.neededMs(now)) {
      const text = `model '${step.config.model.name}' cannot answer before the deadline`;
      this.stepFailed(step, new RuntimeError('DEADLINE_EXCEEDED', text));
      this.stepLeft(step);
      return;
    }
    const leg = new Leg(target, step.isDecoupled ? this.#stream(step) : new StepReply(this, step), {
      parent: call,
      deadline: now + step.config.timeoutMs,
    });
    if (step.isDecoupled) leg.call.pace = this.#flows!.pace;
    this.#legs.push(leg);
    const asked = { request, spentMs: now - call.timings.receivedAt };
    leg.send(stepRequest(step, this.#slots, asked), this.#rows);
  }

  /** Those beside it do not wait for its end. */
  #stream(step: StepPlan): EnsembleFlows {
    const { call, flow } = this.#asked;
    const place = { reader: call.pace, outer: flow ? flow.of.#flows?.pace : undefined };
    const flows = (this.#flows = new EnsembleFlows(this, step, place));
    this.#stepOver();
    return flows;
  }

  stepAnswered(step: StepPlan, response: InferenceResponse | undefined): void {
    this.#degradation = worstOf(this.#degradation, response?.degradation);
    for (const { part, slot } of step.writes)
      this.#settle(slot, tensorNamed(part, response) ?? ABSENT);
    this.#stepOver();
  }

  stepFailed(step: StepPlan, error: RuntimeError): void {
    if (this.#isOver) return;
    const mine = this.#mine(error);
    if (!this.#canDoWithout(step)) {
      this.#end(mine);
      return;
    }
    this.#error ??= mine;
    this.#leaveOut(step);
    this.#stepOver();
  }

  /** Its model is free for the next flow. */
  stepLeft({ index }: StepPlan): void {
    this.#gates?.leave(index, this);
  }

  #mine(error: RuntimeError): RuntimeError {
    const text = `in ensemble '${this.#parts.name}', ${error.message}`;
    return new RuntimeError(error.code, text, { cause: error });
  }

  #canDoWithout(step: StepPlan): boolean {
    return !this.#asked.call.cancelled && step.config.continues;
  }

  #stepOver(): void {
    this.#running--;
    if (this.#running > 0 || this.#isOver) return;
    if (this.#flows) this.#flows.open();
    else this.#answer();
  }

  #answer(): void {
    const come = { slots: this.#slots, degradation: this.#degradation };
    const response = ensembleAnswer(this.#parts, this.#asked.request, come);
    if (!response) {
      this.#nothing(this.#error);
      return;
    }
    this.#count();
    this.#asked.reply.response(response);
    this.#end();
  }

  /** Of a flow that failed where that does not end the request, nothing is said as long as others answer. */
  #nothing(error: RuntimeError | undefined): void {
    const { flow } = this.#asked;
    if (error && flow) {
      this.#isOver = true;
      flow.reply.leaveOut(error);
    } else this.#end(error ?? nothingCame(this.#parts.name));
  }

  /** The whole is what its steps are: their times are its own. */
  #count(): void {
    const { timings } = this.#asked.call;
    for (const { call, error } of this.#legs) if (!error) timings.add(call.timings);
    if (this.#asked.flow) return;
    timings.batchSize = this.#rows;
    this.#parts.statistics.executed(this.#rows, timings);
  }

  #end(error?: RuntimeError): void {
    this.abandon();
    this.#asked.reply.end(error);
  }

  abandon(): void {
    this.#isOver = true;
    for (const leg of this.#legs) leg.abandon();
    this.#flows?.abandon();
  }

  // ---- what the flows of its decoupled step need and tell ----

  get isTurn(): boolean {
    return this.#asked.flow?.reply.isTurn ?? true;
  }

  takeTurn(): void {
    this.#gates?.turnMoved();
    this.#flows?.takeTurn();
  }

  flowFor({ outputs }: InferenceResponse, reply: FlowReply): Flow {
    const rows = rowsOf(this.#parts.batched, outputs);
    const flow = { of: this, reply, rows };
    return new EnsembleRun(this.#parts, this.#needed, { ...this.#asked, reply, flow });
  }

  flowAnswered(response: InferenceResponse): void {
    this.#asked.reply.response(response);
  }

  /** The error is that of a whole ensemble already. */
  flowFailed(error: RuntimeError): void {
    this.#end(error);
  }

  streamEnded(step: StepPlan, error: RuntimeError | undefined): void {
    if (this.#isOver) return;
    const { hasAny } = this.#flows!;
    if (error && (!hasAny || this.#asked.call.cancelled)) {
      // Without an answer it is a step like any other that fails.
      this.#running++;
      if (!hasAny) this.#flows = undefined;
      this.stepFailed(step, error);
      return;
    }
    if (error && !this.#canDoWithout(step)) this.#streamError = this.#mine(error);
    this.#flows!.close();
  }

  flowsEnded(leftOut: RuntimeError | undefined): void {
    if (this.#streamError) this.#end(this.#streamError);
    else if (leftOut) this.#nothing(leftOut);
    else {
      this.#count();
      this.#end();
    }
  }
}
