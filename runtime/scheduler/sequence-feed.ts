// A model with sequences as its instances see it: beside the tensors of its users, the controls and states that the server feeds
// and keeps.

import type { ModelConfig, OutputSpec, TensorSpec } from '../config/model-config.js';
import type { StateSpec } from '../config/sequence-config.js';
import { elementCount } from '../core/tensor.js';

/**
 * The configuration with the tensors that users do not see behind those they do: controls, then states. The same object for a
 * model without sequences. Added inputs are optional: who makes up a request may leave them out and means zeros.
 */
export function fedConfig(config: ModelConfig): ModelConfig {
  if (!config.sequence) return config;
  const { controls, states } = config.sequence;
  const listed = new Set(config.outputs.map(({ name }) => name));
  return {
    ...config,
    inputs: [
      ...config.inputs,
      ...controls.map(({ name, dataType }) => tensorSpec({ name, dataType, dims: [1] })),
      ...states.map((state) => tensorSpec({ ...state, name: state.inputName })),
    ],
    outputs: [
      ...config.outputs,
      ...states.filter(({ outputName }) => !listed.has(outputName)).map(stateOutput),
    ],
  };
}

/** A state as the model puts it out, which is not as users see it where they get it in another shape. */
export function stateOutput(state: StateSpec): OutputSpec {
  return { ...tensorSpec({ ...state, name: state.outputName }), labelFilename: '' };
}

// ---- details below; callers need not read ----

function tensorSpec({
  name,
  dataType,
  dims,
}: Pick<StateSpec, 'dataType' | 'dims'> & { readonly name: string }): TensorSpec {
  const elements = dims.includes(-1) ? -1 : elementCount(dims);
  return { name, dataType, dims, modelDims: dims, reshaped: false, elements, optional: true };
}
