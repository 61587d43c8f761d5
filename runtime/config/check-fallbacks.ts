// Holds a model against those it falls back on: what it is asked they must be able to take, and what they answer must pass for an answer
// of its own. Shapes of answers may differ, since less may be all that a fallback has. Every problem at once. Pure.

import { formatShape } from '../core/tensor.js';
import { fits, type PartModel, type PartTensor } from './check-parts.js';
import type { ConfigProblem } from './config-problem.js';
import type { FallbackNames } from './resilience-config.js';

export interface CheckedFallback {
  /** Of the target in the configuration. */
  readonly path: string;
  readonly names: FallbackNames;
  readonly model: PartModel;
  readonly decoupled: boolean;
}

export function fallbackProblems(whole: PartModel, fallback: CheckedFallback): ConfigProblem[] {
  const check = new FallbackCheck(whole, fallback);
  check.rows();
  check.inputs();
  check.outputs();
  return check.problems;
}

// ---- details below; callers need not read ----

class FallbackCheck {
  readonly problems: ConfigProblem[] = [];
  readonly #whole: PartModel;
  readonly #fallback: CheckedFallback;

  constructor(whole: PartModel, fallback: CheckedFallback) {
    this.#whole = whole;
    this.#fallback = fallback;
  }

  rows(): void {
    const { model, decoupled } = this.#fallback;
    if (decoupled)
      this.#add('', 'answers a request any number of times (decoupled), and one answer is needed');
    const { maxBatchSize } = this.#whole;
    if (model.maxBatchSize < maxBatchSize)
      this.#add('', `takes at most ${model.maxBatchSize} rows, and ${maxBatchSize} may be asked`);
  }

  inputs(): void {
    const { model, names } = this.#fallback;
    for (const theirs of names.inputs.keys())
      if (!find(model.inputs, theirs)) this.#add(`.input_map["${theirs}"]`, `has no such input`);
    for (const tensor of model.inputs) {
      const ours = names.inputs.size === 0 ? tensor.name : names.inputs.get(tensor.name);
      const given = ours === undefined ? undefined : find(this.#whole.inputs, ours);
      if (given) this.#given(tensor, given);
      else if (!tensor.optional)
        this.#add('.input_map', `needs an input '${tensor.name}', and nothing is given to it`);
    }
  }

  outputs(): void {
    const { model, names } = this.#fallback;
    for (const theirs of names.outputs.keys())
      if (!find(model.outputs, theirs)) this.#add(`.output_map["${theirs}"]`, `has no such output`);
    const pairs = model.outputs.flatMap((tensor) => {
      const ours = names.outputs.size === 0 ? tensor.name : names.outputs.get(tensor.name);
      const wanted = ours === undefined ? undefined : find(this.#whole.outputs, ours);
      return wanted ? [{ tensor, wanted }] : [];
    });
    if (pairs.length === 0) this.#add('.output_map', `has none of the outputs`);
    for (const { tensor, wanted } of pairs)
      if (tensor.dataType !== wanted.dataType)
        this.#add(
          '.output_map',
          `has ${tensor.dataType} for output '${wanted.name}', which is ${wanted.dataType}`,
        );
  }

  // ---- details below; callers need not read ----

  #given(theirs: PartTensor, ours: PartTensor): void {
    const isSame = theirs.dataType === ours.dataType && fits(theirs.shape, ours.shape);
    if (isSame) return;
    this.#add(
      '.input_map',
      `takes ${described(theirs)} for input '${theirs.name}', and would be given '${ours.name}', which is ${described(ours)}`,
    );
  }

  #add(path: string, text: string): void {
    const { path: target, model } = this.#fallback;
    const message = `fallback '${model.name}' of model '${this.#whole.name}' ${text}`;
    this.problems.push({ path: `${target}${path}`, message });
  }
}

function find(tensors: readonly PartTensor[], name: string): PartTensor | undefined {
  return tensors.find((tensor) => tensor.name === name);
}

function described({ dataType, shape }: PartTensor): string {
  return `${dataType} ${formatShape(shape)}`;
}
