// Fills in what a remote model's configuration leaves out with what its endpoints say. Pure.

import { configNameOf } from '../core/data-type.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import type { ConfigProblem } from './config-problem.js';
import type { ModelTensors } from './complete-from-model.js';
import type { ModelConfigMessage, TensorMessage } from './model-config-message.js';

/** What endpoints say of a model. */
export interface DescribedModel extends ModelTensors {
  /** Undefined: they have no ModelConfig call. */
  readonly config: ModelConfigMessage | undefined;
}

/** What is written here counts; `described` has its tensors with the batch dimension, as users see them. */
export function completeFromEndpoints(
  message: ModelConfigMessage,
  described: DescribedModel,
): ModelConfigMessage {
  const maxBatchSize = message.max_batch_size ?? described.config?.max_batch_size ?? 0;
  const written = (tensors: readonly TensorMetadata[]): TensorMessage[] =>
    tensors.map(({ name, dataType, shape }) => ({
      name,
      data_type: configNameOf(dataType),
      dims: [...(maxBatchSize > 0 ? shape.slice(1) : shape)],
    }));
  const optional = new Set(
    described.config?.input?.filter((input) => input.optional).map(({ name }) => name),
  );
  return {
    ...message,
    max_batch_size: maxBatchSize,
    input: message.input?.length
      ? message.input
      : written(described.inputs).map((input) =>
          optional.has(input.name) ? { ...input, optional: true } : input,
        ),
    output: message.output?.length ? message.output : written(described.outputs),
    ...policyOf(message, described),
  };
}

/** Where the configuration here and the model there do not fit. */
export function endpointProblems(
  message: ModelConfigMessage,
  described: DescribedModel,
): ConfigProblem[] {
  const policy = message.model_transaction_policy;
  const isWrong = isDecoupled(described.config) && policy?.decoupled === false;
  const text =
    `model '${message.name ?? ''}' is decoupled at its endpoints, which may answer a request any number of times, ` +
    'and its configuration here says that it is not';
  return [
    ...(isWrong ? [{ path: 'model_transaction_policy.decoupled', message: text }] : []),
    ...batchProblems(message, described),
  ];
}

// ---- details below; callers need not read ----

function isDecoupled(config: ModelConfigMessage | undefined): boolean {
  return config?.model_transaction_policy?.decoupled === true;
}

/** As there, where nothing is written of it here. */
function policyOf(
  { model_transaction_policy: policy }: ModelConfigMessage,
  { config }: DescribedModel,
): Pick<ModelConfigMessage, 'model_transaction_policy'> {
  const isUnsaid = policy?.decoupled === undefined;
  return isUnsaid && isDecoupled(config) ? { model_transaction_policy: { decoupled: true } } : {};
}

function batchProblems(
  { name = '', max_batch_size: here = 0 }: ModelConfigMessage,
  { config, inputs, outputs }: DescribedModel,
): ConfigProblem[] {
  const path = 'max_batch_size';
  const there = config?.max_batch_size ?? 0;
  if (here === 0) return [];
  if (config && here > there)
    return [{ path, message: `${path} of '${name}' is ${here}, its endpoints take ${there}` }];
  if ([...inputs, ...outputs].every(({ shape }) => shape[0] === -1)) return [];
  const text = `${path} of '${name}' is ${here}, and its tensors at the endpoints have no batch dimension`;
  return [{ path, message: text }];
}
