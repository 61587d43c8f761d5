// How long a request took, told in its own response to those who ask: the parameter `inferd_timings` with the value true.

import type { Timings } from '../core/call.js';
import { NO_PARAMETERS, type InferenceRequest, type InferenceResponse } from '../core/inference.js';

export const TIMINGS_PARAMETER = 'inferd_timings';

export function wantsTimings({ parameters }: InferenceRequest): boolean {
  return parameters !== NO_PARAMETERS && parameters.custom.get(TIMINGS_PARAMETER) === true;
}

/** Adds queue_us (waiting), compute_us (from the dispatch of its batch to the result) and batch_size (rows of that batch). */
export function withTimings(response: InferenceResponse, timings: Timings): InferenceResponse {
  const parameters = new Map(response.parameters);
  parameters.set('queue_us', microseconds(timings.queuedAt, timings.dispatchedAt));
  parameters.set('compute_us', microseconds(timings.dispatchedAt, timings.completedAt));
  parameters.set('batch_size', timings.batchSize);
  return { ...response, parameters };
}

function microseconds(fromMs: number, toMs: number): number {
  return Math.round((toMs - fromMs) * 1000);
}
