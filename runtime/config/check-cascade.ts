// Holds the stages of a cascade against their models, as far as check-parts does not: they take rows, and what a rule tests can be tested.
// Pure.

import { formatShape } from '../core/tensor.js';
import { formatExitRule, type ExitRule, type StageConfig } from './cascade-config.js';
import { partProblems, type Part, type PartModel, type PartTensor } from './check-parts.js';
import type { ConfigProblem } from './config-problem.js';

export interface CascadePart extends Part {
  readonly config: StageConfig;
}

export function cascadePartProblems(
  whole: PartModel,
  stages: readonly CascadePart[],
): ConfigProblem[] {
  const batched = stages.filter(({ model }) => model.maxBatchSize > 0);
  // More rows than a stage takes go in parts: its size need not be that of the whole.
  const problems = partProblems('cascade', { ...whole, maxBatchSize: 0 }, batched);
  for (const { model, path } of stages) {
    if (model.maxBatchSize > 0) continue;
    const text = `in cascade ${whole.name}, model ${model.name} has max_batch_size 0: a stage must take rows`;
    problems.push({ path, message: text });
  }
  return [...problems, ...ruleProblems(whole, batched)];
}

// ---- details below; callers need not read ----

function ruleProblems(whole: PartModel, stages: readonly CascadePart[]): ConfigProblem[] {
  const known = new Map<string, PartTensor>();
  for (const tensor of [...whole.inputs, ...whole.outputs]) known.set(tensor.name, tensor);
  return stages.flatMap(({ config, model, path }) => {
    for (const { part, whole: name } of config.outputs) {
      const written = model.outputs.find((output) => output.name === part);
      if (written) known.set(name, written);
    }
    return config.exits.flatMap((rule, index) => {
      const tensor = known.get(rule.tensor);
      const text = tensor && ruleComplaint(rule, tensor);
      if (text === undefined) return [];
      const message = `in cascade ${whole.name}, exit rule '${formatExitRule(rule)}': ${text}`;
      return [{ path: `${path}.exit_when[${index}]`, message }];
    });
  });
}

function ruleComplaint(
  { tensor, index, test }: ExitRule,
  { dataType, shape }: PartTensor,
): string | undefined {
  const isText = dataType === 'TYPE_STRING';
  if (isText !== (test.kind === 'equals_string'))
    return `${test.kind} cannot be asked of tensor ${tensor}, which is ${dataType}`;
  const dims = shape.slice(1);
  const elements = dims.reduce((product, size) => product * size, 1);
  if (dims.includes(-1) || index < elements) return undefined;
  return `tensor ${tensor} has no element ${index}: its rows are ${formatShape(dims)}`;
}
