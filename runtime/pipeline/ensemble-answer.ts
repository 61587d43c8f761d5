// What an ensemble says to its caller: its answer, and what it says when it has none.

import { RuntimeError } from '../core/errors.js';
import type {
  Degradation,
  InferenceRequest,
  InferenceResponse,
  RequestParameters,
} from '../core/inference.js';
import type { Tensor } from '../core/tensor.js';
import type { EnsemblePlan } from './ensemble-plan.js';

/** Undefined: of all that is asked for nothing is there. */
export function ensembleAnswer(
  { name, version, plan }: AnsweringEnsemble,
  request: InferenceRequest,
  come: {
    readonly slots: readonly (Tensor | null | undefined)[];
    readonly degradation: Degradation | undefined;
  },
): InferenceResponse | undefined {
  const outputs: Tensor[] = [];
  for (const output of plan.outputs) {
    const tensor = come.slots[output.slot];
    if (!tensor || !isRequested(output.name, request.outputs)) continue;
    outputs.push(tensor.name === output.name ? tensor : { ...tensor, name: output.name });
  }
  if (outputs.length === 0) return undefined;
  return {
    ...{ modelName: name, modelVersion: version, outputs },
    parameters: sequenceParameters(request.parameters),
    ...(come.degradation && { degradation: come.degradation }),
  };
}

interface AnsweringEnsemble {
  readonly name: string;
  readonly version: string;
  readonly plan: EnsemblePlan;
}

export function isRequested(name: string, outputs: readonly { readonly name: string }[]): boolean {
  for (const output of outputs) if (output.name === name) return true;
  return outputs.length === 0;
}

export function nothingCame(name: string): RuntimeError {
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
