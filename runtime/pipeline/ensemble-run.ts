// One request on its way through the steps of an ensemble.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import {
  worstOf,
  type Degradation,
  type InferenceRequest,
  type InferenceResponse,
  type RequestParameters,
} from '../core/inference.js';
import { Leg, type LegTarget } from '../core/leg.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import type { EnsemblePlan, StepPlan } from './ensemble-plan.js';

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
}

export class EnsembleRun {
  readonly #parts: EnsembleParts;
  readonly #asked: AskedRequest;
  readonly #rows: number;
  readonly #parameters: RequestParameters;
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

  /** `needed`: by step, whether the request needs it. */
  constructor(parts: EnsembleParts, needed: readonly boolean[], asked: AskedRequest) {
    const { plan, batched } = parts;
    this.#parts = parts;
    this.#asked = asked;
    const { request } = asked;
    this.#rows = batched ? (request.inputs[0]?.shape[0] ?? 1) : 1;
    this.#parameters = request.parameters;
    this.#needed = needed;
    this.#slots = new Array<Tensor | undefined>(plan.slots).fill(undefined);
    this.#missing = plan.reads.slice();
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
    if (this.#isRunnable(step)) this.#run(step, this.#parts.targets[index]!);
    else this.#leaveOut(step);
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
    this.#running++;
    if (call.deadline - now <= target.figures.medianMs(now)) {
      const text = `model '${step.config.model.name}' cannot answer before the deadline`;
      this.stepFailed(step, new RuntimeError('DEADLINE_EXCEEDED', text));
      return;
    }
    const leg = new Leg(target, new StepReply(this, step), {
      parent: call,
      deadline: now + step.config.timeoutMs,
    });
    this.#legs.push(leg);
    const inputs = this.#inputsOf(step);
    const { outputs, config } = step;
    const parameters = this.#parametersAt(now);
    const asked = { modelName: config.model.name, id: request.id, parameters, inputs, outputs };
    leg.send(asked, this.#rows);
  }

  #inputsOf({ reads }: StepPlan): Tensor[] {
    const inputs: Tensor[] = [];
    for (const { part, slot } of reads) {
      const tensor = this.#slots[slot];
      if (tensor) inputs.push(tensor.name === part ? tensor : { ...tensor, name: part });
    }
    return inputs;
  }

  /** A request's own time in the queue is meant for the whole: what is left of it goes to the step. */
  #parametersAt(now: number): RequestParameters {
    const { timeoutMs } = this.#parameters;
    if (timeoutMs === 0) return this.#parameters;
    const spent = now - this.#asked.call.timings.receivedAt;
    return { ...this.#parameters, timeoutMs: Math.max(timeoutMs - spent, LEAST_TIMEOUT_MS) };
  }

  stepAnswered(step: StepPlan, response: InferenceResponse | undefined): void {
    this.#degradation = worstOf(this.#degradation, response?.degradation);
    for (const { part, slot } of step.writes)
      this.#settle(slot, tensorNamed(part, response) ?? ABSENT);
    this.#stepOver();
  }

  stepFailed(step: StepPlan, error: RuntimeError): void {
    if (this.#isOver) return;
    const { name } = this.#parts;
    const mine = new RuntimeError(error.code, `in ensemble '${name}', ${error.message}`, {
      cause: error,
    });
    const isOurs = !this.#asked.call.cancelled && step.config.continues;
    if (!isOurs) {
      this.#end(mine);
      return;
    }
    this.#error ??= mine;
    this.#leaveOut(step);
    this.#stepOver();
  }

  #stepOver(): void {
    this.#running--;
    if (this.#running > 0 || this.#isOver) return;
    const { plan, name, version } = this.#parts;
    const outputs: Tensor[] = [];
    for (const output of plan.outputs) {
      const tensor = this.#slots[output.slot];
      if (!tensor || !isRequested(output.name, this.#asked.request.outputs)) continue;
      outputs.push(tensor.name === output.name ? tensor : { ...tensor, name: output.name });
    }
    if (outputs.length === 0) {
      this.#end(this.#error ?? nothingCame(name));
      return;
    }
    const response: InferenceResponse = {
      ...{ modelName: name, modelVersion: version, outputs },
      parameters: sequenceParameters(this.#parameters),
      ...(this.#degradation && { degradation: this.#degradation }),
    };
    this.#count();
    this.#asked.reply.response(response);
    this.#end();
  }

  /** The whole is what its steps are: their times are its own. */
  #count(): void {
    const { timings } = this.#asked.call;
    for (const { call, error } of this.#legs) if (!error) timings.add(call.timings);
    timings.batchSize = this.#rows;
    this.#parts.statistics.executed(this.#rows, timings);
  }

  #end(error?: RuntimeError): void {
    this.#isOver = true;
    for (const leg of this.#legs) leg.abandon();
    this.#asked.reply.end(error);
  }
}

/** Hears what becomes of one step. */
class StepReply implements Reply {
  readonly #run: EnsembleRun;
  readonly #step: StepPlan;
  #response: InferenceResponse | undefined;

  constructor(run: EnsembleRun, step: StepPlan) {
    this.#run = run;
    this.#step = step;
  }

  response(response: InferenceResponse): void {
    this.#response = response;
  }

  end(error?: RuntimeError): void {
    if (error) this.#run.stepFailed(this.#step, error);
    else this.#run.stepAnswered(this.#step, this.#response);
  }
}

/** 0 would be none. */
const LEAST_TIMEOUT_MS = 0.001;

export function isRequested(name: string, outputs: readonly { readonly name: string }[]): boolean {
  for (const output of outputs) if (output.name === name) return true;
  return outputs.length === 0;
}

function tensorNamed(wanted: string, response: InferenceResponse | undefined): Tensor | undefined {
  if (response) for (const tensor of response.outputs) if (tensor.name === wanted) return tensor;
  return undefined;
}

function nothingCame(name: string): RuntimeError {
  const text =
    `in ensemble '${name}', unexpected deadlock, at least one output is not set while no more ensemble steps can be ` +
    'made';
  return new RuntimeError('INVALID_ARGUMENT', text);
}

/** Triton's ensembles say of every answer which sequence it belongs to. */
function sequenceParameters({
  sequenceId,
  sequenceStart,
  sequenceEnd,
}: RequestParameters): ReadonlyMap<string, boolean | number | string> {
  if (sequenceId === 0 && !sequenceStart && !sequenceEnd) return NO_SEQUENCE;
  const id = typeof sequenceId === 'bigint' ? Number(sequenceId) : sequenceId;
  return new Map<string, boolean | number | string>([
    ['sequence_id', id],
    ['sequence_start', sequenceStart],
    ['sequence_end', sequenceEnd],
  ]);
}

const NO_SEQUENCE: ReadonlyMap<string, boolean | number | string> = new Map<
  string,
  boolean | number | string
>([
  ['sequence_id', 0],
  ['sequence_start', false],
  ['sequence_end', false],
]);
