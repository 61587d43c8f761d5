// Compares the controls and states of a configuration with the tensors that ONNX Runtime found in the model. Texts: Triton's ONNX
// backend where it has one.

import { configNameOf } from '../core/data-type.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { formatShape } from '../core/tensor.js';
import type { ModelTensors } from './complete-from-model.js';
import type { ConfigProblem } from './config-problem.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { sequenceConfig, type ControlSpec, type StateSpec } from './sequence-config.js';

export function validateSequenceTensors(
  message: ModelConfigMessage,
  model: ModelTensors,
): ConfigProblem[] {
  const sequence = sequenceConfig(message);
  if (!sequence) return [];
  const of = { name: message.name ?? '', batched: (message.max_batch_size ?? 0) > 0, model };
  return [
    ...sequence.controls.flatMap((control) => controlProblems(control, of)),
    ...sequence.states.flatMap((state) => stateProblems(state, of)),
  ];
}

// ---- details below; callers need not read ----

interface Model {
  readonly name: string;
  readonly batched: boolean;
  readonly model: ModelTensors;
}

function controlProblems(
  { name, dataType }: ControlSpec,
  { name: model, batched, model: tensors }: Model,
): ConfigProblem[] {
  const path = 'sequence_batching.control_input';
  const found = tensors.inputs.find((input) => input.name === name);
  if (!found) {
    const text = `configuration specified sequence control '${name}', but model does not provide that input`;
    return [{ path, message: text }];
  }
  const start = `sequence control '${name}' in model '${model}' has`;
  const problems: ConfigProblem[] = [];
  const row = batched ? found.shape.slice(1) : found.shape;
  if (row.length !== 1 || (row[0] !== 1 && row[0] !== -1))
    problems.push({ path, message: `${start} dims ${formatShape(row)} but dims [1] is expected` });
  if (found.dataType !== dataType) {
    const [has, expected] = [configNameOf(found.dataType), configNameOf(dataType)];
    problems.push({
      path,
      message: `${start} data-type ${has} but data-type ${expected} is expected`,
    });
  }
  return problems;
}

function stateProblems(state: StateSpec, of: Model): ConfigProblem[] {
  const input = of.model.inputs.find(({ name }) => name === state.inputName);
  const output = of.model.outputs.find(({ name }) => name === state.outputName);
  return [
    ...tensorProblems({ name: state.inputName, side: 'input', found: input }, state, of),
    ...tensorProblems({ name: state.outputName, side: 'output', found: output }, state, of),
  ];
}

interface StateTensor {
  readonly name: string;
  readonly side: 'input' | 'output';
  readonly found: TensorMetadata | undefined;
}

function tensorProblems(
  { name, side, found }: StateTensor,
  { dims, dataType }: StateSpec,
  of: Model,
): ConfigProblem[] {
  const path = 'sequence_batching.state';
  if (!found) {
    const text = `configuration specified ${side} state '${name}', but model does not provide that ${side}`;
    return [{ path, message: text }];
  }
  const start = `${side} state '${name}' in model '${of.name}' has`;
  const problems: ConfigProblem[] = [];
  const row = of.batched ? found.shape.slice(1) : found.shape;
  if (!agree(row, dims)) {
    const text = `${start} dims ${formatShape(row)} but dims ${formatShape(dims)} is expected`;
    problems.push({ path, message: text });
  }
  if (found.dataType !== dataType) {
    const [has, expected] = [configNameOf(found.dataType), configNameOf(dataType)];
    problems.push({
      path,
      message: `${start} data-type ${has} but data-type ${expected} is expected`,
    });
  }
  return problems;
}

/** An open size of either fits any size of the other: what a step makes of it shows when it runs. */
function agree(row: readonly number[], dims: readonly number[]): boolean {
  return (
    row.length === dims.length &&
    row.every((size, i) => size === dims[i] || size === -1 || dims[i] === -1)
  );
}
