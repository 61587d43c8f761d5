// Parameters of requests, inputs and outputs: those with a meaning, with values they cannot have, and those without one.

import type { InferDraft, ParameterDraft } from './infer-draft.js';
import type { DraftMutation } from './mutation.js';
import { longText, oddName, oddParameter } from './odd-values.js';
import type { Random } from './random.js';
import { bytesField, varintField, type Text } from './wire-field.js';

const REQUEST_KEYS = [
  'sequence_id',
  'sequence_start',
  'sequence_end',
  'priority',
  'timeout',
  'binary_data_output',
  'triton_enable_empty_final_response',
  'triton_final_response',
  'triton_',
];

const TENSOR_KEYS = [
  'shared_memory_region',
  'shared_memory_offset',
  'shared_memory_byte_size',
  'binary_data_size',
  'binary_data',
  'classification',
];

export const PARAMETER_MUTATIONS: readonly DraftMutation[] = [
  { kind: 'a known parameter of the request', weight: 3, apply: knownParameter },
  {
    kind: 'an unknown parameter',
    apply: (draft, random) => void draft.parameters.push(unknownParameter(random)),
  },
  { kind: 'a reserved parameter', ends: 'refused', apply: reservedParameter },
  { kind: '5,000 parameters', weight: 0.2, apply: manyParameters },
  { kind: 'a parameter twice', apply: parameterTwice },
  { kind: 'parameters of inputs', weight: 2, apply: inputParameter },
  { kind: 'parameters of outputs', weight: 2, apply: outputParameter },
  { kind: 'shared memory', ends: 'refused', apply: sharedMemory },
  { kind: 'classes of outputs', weight: 2, apply: classification },
];

// ---- details below; callers need not read ----

function odd(keys: readonly string[], random: Random): ParameterDraft {
  return { key: random.pick(keys), value: oddParameter(random) };
}

function unknownParameter(random: Random): ParameterDraft {
  const key: Text = random.chance(0.02) ? longText(random) : oddName(random);
  return { key: random.chance(0.05) ? '' : key, value: oddParameter(random) };
}

function knownParameter({ parameters }: InferDraft, random: Random): void {
  for (let i = random.between(1, 3); i > 0; i--) parameters.push(odd(REQUEST_KEYS, random));
}

function reservedParameter({ parameters }: InferDraft, random: Random): void {
  parameters.push({ key: `triton_${random.below(9)}`, value: [varintField(1, 1)] });
}

function manyParameters({ parameters }: InferDraft, random: Random): void {
  for (let i = 0; i < 5000; i++) parameters.push({ key: `key_${i}`, value: [bytesField(3, 'x')] });
  if (random.chance(0.5)) knownParameter({ parameters } as InferDraft, random);
}

function parameterTwice({ parameters }: InferDraft, random: Random): void {
  const { key } = odd([...REQUEST_KEYS, 'custom'], random);
  parameters.push({ key, value: oddParameter(random) }, { key, value: oddParameter(random) });
}

function inputParameter({ inputs }: InferDraft, random: Random): void {
  random.pick(inputs).parameters.push(odd([...TENSOR_KEYS, ...REQUEST_KEYS], random));
}

function outputParameter(draft: InferDraft, random: Random): void {
  wantOutput(draft).push(odd([...TENSOR_KEYS, ...REQUEST_KEYS], random));
}

function sharedMemory(draft: InferDraft, random: Random): void {
  const region = { key: 'shared_memory_region', value: [bytesField(3, oddName(random))] };
  if (random.chance(0.5)) random.pick(draft.inputs).parameters.push(region);
  else wantOutput(draft).push(region);
}

function classification(draft: InferDraft, random: Random): void {
  const counts = [0n, 1n, 2n, 4n, 5n, 1000n, -1n, 2n ** 31n, 2n ** 62n, -(2n ** 63n)];
  const value = random.chance(0.7) ? [varintField(2, random.pick(counts))] : oddParameter(random);
  const parameters = wantOutput(draft);
  parameters.splice(0);
  parameters.push({ key: 'classification', value });
}

/** The parameters of an output that is asked for. Models whose outputs have other names get one more thing wrong. */
function wantOutput({ outputs }: InferDraft): ParameterDraft[] {
  if (outputs.length === 0) outputs.push({ name: 'OUTPUT0', parameters: [] });
  return outputs[0]!.parameters;
}
