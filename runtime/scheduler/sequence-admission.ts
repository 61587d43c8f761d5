// PURE: may a request be taken into a sequence? Checks and texts are Triton's, in its order.

import type { ModelConfig } from '../config/model-config.js';
import { RuntimeError } from '../core/errors.js';
import { requestIdPrefix, type InferenceRequest } from '../core/inference.js';
import { formatSequenceId, sequenceIdOf, type SequenceId } from './sequence-id.js';

/** `isKnown`: a sequence with the request's id has begun. Undefined: nothing is wrong. */
export function sequenceProblem(
  config: ModelConfig,
  request: InferenceRequest,
  isKnown: boolean,
): RuntimeError | undefined {
  const text = idKindProblem(config, request) ?? stepProblem(config, request, isKnown);
  return text === undefined ? undefined : new RuntimeError('INVALID_ARGUMENT', text);
}

/** Of a START for a sequence that has not ended. */
export function restartWarning({ name }: ModelConfig, id: SequenceId): string {
  return (
    `sequence ${formatSequenceId(id)} for model '${name}' has a conflict. The previous sequence did not end ` +
    'before this sequence start. Previous sequence will be terminated early.'
  );
}

/** Of requests that waited for the next step of a sequence whose instance has lost what it remembered. */
export function lostWithInstance({ name }: ModelConfig, id: SequenceId): RuntimeError {
  const text =
    `sequence ${formatSequenceId(id)} of model '${name}' was lost with the thread of its instance, which has ended: ` +
    'begin it again, with the START flag';
  return new RuntimeError('BACKEND_LOST', text);
}

// ---- details below; callers need not read ----

/** A model that is told the id takes either text or numbers. */
function idKindProblem(
  { name, sequence }: ModelConfig,
  request: InferenceRequest,
): string | undefined {
  const isText = typeof request.parameters.sequenceId === 'string';
  const control = sequence?.controls.find((each) => each.kind === 'CORRID');
  if (!control || (control.dataType === 'BYTES') === isText) return undefined;
  return (
    `${requestIdPrefix(request)}sequence batching control '${control.name}' data-type is ` +
    `'${isText ? 'BYTES' : 'UINT64'}', but model '${name}' expects '${control.dataType}'`
  );
}

function stepProblem(
  { name, batched }: ModelConfig,
  request: InferenceRequest,
  isKnown: boolean,
): string | undefined {
  const start = `inference request to model '${name}' must specify`;
  if (batched && (request.inputs[0]?.shape[0] ?? 1) > 1)
    return `${start} batch-size 1 due to requirements of sequence batcher`;
  const id = sequenceIdOf(request);
  if (isNoId(id)) return `${start} a non-zero or non-empty correlation ID`;
  if (isKnown || request.parameters.sequenceStart) return undefined;
  return (
    `inference request for sequence ${formatSequenceId(id)} to model '${name}' must specify the START flag on the first ` +
    'request of the sequence'
  );
}

/** A request without an id carries 0. */
function isNoId(id: SequenceId): boolean {
  return typeof id === 'string' ? id === '' : Number(id) === 0;
}
