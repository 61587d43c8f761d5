// Names of models, versions, tensors and requests that do not exist, exist twice or are no names.

import type { InferDraft } from './infer-draft.js';
import type { DraftMutation } from './mutation.js';
import { ODD_VERSIONS, longText, oddName } from './odd-values.js';
import type { Random } from './random.js';

const SEVERAL_INPUTS = ['add_sub', 'add_sub_i32', 'nobatch', 'three_in'];

export const NAME_MUTATIONS: readonly DraftMutation[] = [
  {
    kind: 'no such model',
    ends: 'refused',
    apply: (draft, random) => void (draft.modelName = modelName(random)),
  },
  {
    kind: 'no such version',
    ends: 'refused',
    apply: (draft, random) => void (draft.modelVersion = random.pick(ODD_VERSIONS)),
  },
  {
    kind: 'another version',
    apply: (draft, random) => void (draft.modelVersion = random.pick(['1', '01', '+1', '3', '10'])),
  },
  { kind: 'an odd id', apply: oddId },
  { kind: 'an odd id, and a fault', ends: 'refused', apply: oddIdAndFault },
  {
    kind: 'no such input',
    ends: 'refused',
    apply: (draft, random) => void (random.pick(draft.inputs).name = oddName(random)),
  },
  { kind: 'an input twice', ends: 'refused', apply: inputTwice },
  { kind: 'an input missing', ends: 'refused', apply: inputMissing },
  { kind: 'no inputs', ends: 'refused', apply: noInputs },
  { kind: 'a surplus input', ends: 'refused', apply: surplusInput },
  { kind: '1,000 inputs', ends: 'refused', weight: 0.3, apply: manyInputs },
  { kind: 'inputs in another order', models: SEVERAL_INPUTS, apply: otherOrder },
  { kind: 'no such output', ends: 'refused', apply: noSuchOutput },
  { kind: 'an output twice', ends: 'refused', apply: outputTwice },
  { kind: '1,000 outputs', ends: 'refused', weight: 0.3, apply: manyOutputs },
];

// ---- details below; callers need not read ----

function modelName(random: Random): InferDraft['modelName'] {
  return random.chance(0.1) ? '' : oddName(random);
}

function oddId(draft: InferDraft, random: Random): void {
  draft.id = random.chance(0.1) ? longText(random) : oddName(random);
}

/** Many error texts begin with the id. */
function oddIdAndFault(draft: InferDraft, random: Random): void {
  oddId(draft, random);
  random.pick(draft.inputs).shape.push(7n);
}

function inputTwice({ inputs }: InferDraft, random: Random): void {
  inputs.splice(random.below(inputs.length + 1), 0, random.pick(inputs));
}

function inputMissing({ inputs }: InferDraft, random: Random): void {
  inputs.splice(random.below(inputs.length), 1);
}

function noInputs(draft: InferDraft): void {
  draft.inputs = [];
}

function surplusInput({ inputs }: InferDraft, random: Random): void {
  inputs.push({ ...inputs[0]!, name: oddName(random) });
}

function manyInputs({ inputs }: InferDraft): void {
  const [first] = inputs;
  for (let i = 0; i < 1000; i++) inputs.push({ ...first!, name: `INPUT_${i}` });
}

function otherOrder(draft: InferDraft, random: Random): void {
  draft.inputs = random.shuffled(draft.inputs);
}

function noSuchOutput({ outputs }: InferDraft, random: Random): void {
  outputs.push({ name: oddName(random), parameters: [] });
}

function outputTwice({ outputs }: InferDraft): void {
  if (outputs.length === 0) outputs.push({ name: 'OUTPUT0', parameters: [] });
  outputs.push(outputs[0]!);
}

function manyOutputs({ outputs }: InferDraft): void {
  for (let i = 0; i < 1000; i++) outputs.push({ name: `OUTPUT_${i}`, parameters: [] });
}
