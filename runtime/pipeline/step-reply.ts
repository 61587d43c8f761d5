import type { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import type { StepPlan } from './ensemble-plan.js';

/** Who has sent a leg for a step. */
export interface StepAsker {
  /** Undefined: it has ended well and said nothing. */
  stepAnswered(step: StepPlan, response: InferenceResponse | undefined): void;
  stepFailed(step: StepPlan, error: RuntimeError): void;
  /** After one of these. */
  stepLeft(step: StepPlan): void;
}

/** Hears what becomes of a step that answers once. */
export class StepReply implements Reply {
  readonly #asker: StepAsker;
  readonly #step: StepPlan;
  #response: InferenceResponse | undefined;

  constructor(asker: StepAsker, step: StepPlan) {
    this.#asker = asker;
    this.#step = step;
  }

  response(response: InferenceResponse): void {
    this.#response = response;
  }

  end(error?: RuntimeError): void {
    if (error) this.#asker.stepFailed(this.#step, error);
    else this.#asker.stepAnswered(this.#step, this.#response);
    this.#asker.stepLeft(this.#step);
  }
}

/** 1 where tensors have no batch dimension. */
export function rowsOf(batched: boolean, tensors: readonly Tensor[]): number {
  return batched ? (tensors[0]?.shape[0] ?? 1) : 1;
}

export function tensorNamed(
  wanted: string,
  response: InferenceResponse | undefined,
): Tensor | undefined {
  if (response) for (const tensor of response.outputs) if (tensor.name === wanted) return tensor;
  return undefined;
}
