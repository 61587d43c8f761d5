// One request on its way through a cascade: stage after stage, each with the rows that are left, until there are none or no stage. Ends
// exactly once, and then no leg is under way any more.

import type { Call, CancelListener } from '../core/call.js';
import { NO_DEADLINE } from '../core/deadline.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse, RequestParameters } from '../core/inference.js';
import { Leg } from '../core/leg.js';
import type { Reply } from '../core/servable.js';
import { CascadeRows } from './cascade-rows.js';
import type { CascadeStage } from './cascade-stage.js';
import type { RowNumbers } from './cascade-tensor.js';

/** What a run knows of its cascade. */
export interface RunningCascade {
  readonly name: string;
  readonly stages: readonly CascadeStage[];
  /** Tensors that stages must have written for `request`. */
  wanted(request: InferenceRequest): string[];
  /** The answer to `request`, and the end of its reply. */
  answer(request: InferenceRequest, asked: { call: Call; rows: CascadeRows }): InferenceResponse;
}

export class CascadeRun implements CancelListener, PartOwner {
  readonly #cascade: RunningCascade;
  readonly #request: InferenceRequest;
  readonly #call: Call;
  readonly #reply: Reply;
  readonly #rows: CascadeRows;
  /** Of stages that were passed over, or did not answer and need not have. */
  readonly #errors: RuntimeError[] = [];
  #stage = 0;
  #parts: StagePart[] = [];
  #openParts = 0;
  #ended = false;

  constructor(
    cascade: RunningCascade,
    asked: { readonly request: InferenceRequest; readonly call: Call; readonly reply: Reply },
  ) {
    this.#cascade = cascade;
    this.#request = asked.request;
    this.#call = asked.call;
    this.#reply = asked.reply;
    this.#rows = new CascadeRows(asked.request);
  }

  start(): void {
    this.#call.onCancel(this);
    this.#goOn();
  }

  callCancelled(): void {
    this.#fail(new RuntimeError('CANCELLED', 'Request was cancelled'));
  }

  // ---- details below; callers need not read ----

  /** To the next stage for which there is time, or to the end. */
  #goOn(): void {
    const { stages } = this.#cascade;
    for (; this.#stage < stages.length && this.#rows.remaining.length > 0; this.#stage++) {
      const stage = stages[this.#stage]!;
      const refusal = this.#stage > 0 ? this.#lackOfTime(stage) : undefined;
      if (!refusal) {
        this.#send(stage);
        return;
      }
      if (!stage.config.continues) {
        this.#fail(refusal);
        return;
      }
      this.#errors.push(refusal);
    }
    this.#finish();
  }

  /** What cannot finish is not started. */
  #lackOfTime(stage: CascadeStage): RuntimeError | undefined {
    if (this.#call.deadline === NO_DEADLINE) return undefined;
    const { clock, figures } = stage.target;
    const now = clock.now();
    const leftMs = this.#call.deadline - now;
    const neededMs = figures.neededMs(now);
    if (leftMs > neededMs) return undefined;
    const text = `${this.#of(stage)} was not started: ${leftMs.toFixed(1)} ms are left and it takes ${neededMs.toFixed(1)} ms`;
    return new RuntimeError('DEADLINE_EXCEEDED', text);
  }

  #send(stage: CascadeStage): void {
    const { remaining } = this.#rows;
    const most = stage.maxRows();
    this.#parts = [];
    for (let from = 0; from < remaining.length; from += most)
      this.#parts.push(new StagePart(this, stage, remaining.subarray(from, from + most)));
    this.#openParts = this.#parts.length;
    for (const part of this.#parts) {
      if (this.#ended) return;
      this.#sendPart(part);
    }
  }

  #sendPart(part: StagePart): void {
    const { stage, rows } = part;
    const { inputs, model, timeoutMs } = stage.config;
    const { id } = this.#request;
    const now = stage.target.clock.now();
    const parameters = this.#parametersAt(now);
    // Without a time of its own it is NO_DEADLINE.
    const leg = new Leg(stage.target, part, { parent: this.#call, deadline: now + timeoutMs });
    part.leg = leg;
    try {
      const asked = {
        ...{ modelName: model.name, id, parameters, outputs: stage.requested },
        inputs: inputs.map(({ part: name, whole }) => this.#rows.take(whole, { rows, name })),
      };
      leg.send(asked, rows.length);
    } catch (error) {
      leg.end(RuntimeError.from(error));
    }
  }

  /** A request's own time in the queue is meant for the whole: what is left of it goes to the stage. */
  #parametersAt(now: number): RequestParameters {
    const { parameters } = this.#request;
    if (parameters.timeoutMs === 0) return parameters;
    const spentMs = now - this.#call.timings.receivedAt;
    const timeoutMs = Math.max(parameters.timeoutMs - spentMs, LEAST_TIMEOUT_MS);
    return { ...parameters, timeoutMs };
  }

  /** A part of a stage has been answered, or has failed. */
  partEnded(part: StagePart, error: RuntimeError | undefined): void {
    if (this.#ended) return;
    const problem = error ?? this.#accept(part);
    if (problem && !this.#goesOnWithout(part, problem)) return;
    if (--this.#openParts > 0) return;
    this.#rows.leaveOnly(this.#parts.map(({ left }) => left));
    this.#stage++;
    this.#goOn();
  }

  #accept(part: StagePart): RuntimeError | undefined {
    const { stage, rows, answer, leg } = part;
    try {
      if (!answer) throw new RuntimeError('BACKEND_FAILED', 'it ended without a response');
      part.left = this.#rows.accept(stage, rows, answer);
      this.#call.timings.add(leg!.call.timings);
      return undefined;
    } catch (error) {
      return RuntimeError.from(error);
    }
  }

  /** Otherwise the request has failed. The last stage has nobody to pass its rows on to. */
  #goesOnWithout({ stage }: StagePart, error: RuntimeError): boolean {
    const isLast = stage.index === this.#cascade.stages.length - 1;
    const text = `${this.#of(stage)}: ${error.message}`;
    const said = new RuntimeError(error.code, text, { cause: error });
    if (isLast || !stage.config.continues) {
      this.#fail(said);
      return false;
    }
    this.#errors.push(said);
    return true;
  }

  /** Rows may be left only where the last stage was not started: what there is for them must be all that is asked for. */
  #finish(): void {
    const refusal = this.#errors.at(-1);
    if (refusal && !this.#rows.isComplete(this.#cascade.wanted(this.#request))) {
      this.#fail(refusal);
      return;
    }
    let response: InferenceResponse;
    try {
      response = this.#cascade.answer(this.#request, { call: this.#call, rows: this.#rows });
    } catch (error) {
      this.#fail(RuntimeError.from(error));
      return;
    }
    this.#ended = true;
    this.#reply.response(response);
    this.#reply.end();
  }

  #fail(error: RuntimeError): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { leg } of this.#parts) leg?.abandon();
    if (this.#errors.length === 0) {
      this.#reply.end(error);
      return;
    }
    const cause = new AggregateError([...this.#errors, error], 'stages that did not answer');
    this.#reply.end(new RuntimeError(error.code, error.message, { cause }));
  }

  #of({ index, config }: CascadeStage): string {
    return `in cascade '${this.#cascade.name}', stage ${index} (${config.model.name})`;
  }
}

/** 0 would be none. */
const LEAST_TIMEOUT_MS = 0.001;

interface PartOwner {
  partEnded(part: StagePart, error: RuntimeError | undefined): void;
}

/** The rows of one leg of a stage. */
class StagePart implements Reply {
  readonly stage: CascadeStage;
  readonly rows: RowNumbers;
  /** What it leaves for the next stage: all its rows unless it answers. */
  left: RowNumbers;
  leg: Leg | undefined;
  answer: InferenceResponse | undefined;
  readonly #run: PartOwner;

  constructor(run: PartOwner, stage: CascadeStage, rows: RowNumbers) {
    this.#run = run;
    this.stage = stage;
    this.rows = rows;
    this.left = rows;
  }

  response(response: InferenceResponse): void {
    this.answer = response;
  }

  end(error?: RuntimeError): void {
    this.#run.partEnded(this, error);
  }
}
