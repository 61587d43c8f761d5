// What the model of a step is asked.

import type { InferenceRequest, RequestParameters } from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import type { StepPlan } from './ensemble-plan.js';

/** `slots`: what has come, by the numbers of the plan; `spentMs`: of the time that the whole request has in queues. */
export function stepRequest(
  step: StepPlan,
  slots: readonly (Tensor | null | undefined)[],
  { request, spentMs }: { readonly request: InferenceRequest; readonly spentMs: number },
): InferenceRequest {
  return {
    modelName: step.config.model.name,
    id: request.id,
    parameters: parametersLeft(request.parameters, spentMs),
    inputs: inputsOf(step, slots),
    outputs: step.outputs,
  };
}

// ---- details below; callers need not read ----

function inputsOf({ reads }: StepPlan, slots: readonly (Tensor | null | undefined)[]): Tensor[] {
  const inputs: Tensor[] = [];
  for (const { part, slot } of reads) {
    const tensor = slots[slot];
    if (tensor) inputs.push(tensor.name === part ? tensor : { ...tensor, name: part });
  }
  return inputs;
}

/** A request's own time in the queue is meant for the whole: what is left of it goes to the step. */
function parametersLeft(parameters: RequestParameters, spentMs: number): RequestParameters {
  const { timeoutMs } = parameters;
  if (timeoutMs === 0) return parameters;
  return { ...parameters, timeoutMs: Math.max(timeoutMs - spentMs, LEAST_TIMEOUT_MS) };
}

/** 0 would be none. */
const LEAST_TIMEOUT_MS = 0.001;
