// Holds the tensors of a pipeline against the models that read and write them: every problem at once, with Triton's texts
// (ensemble_utils.cc). Pure. Shapes are compared as users see them, batch dimension included; -1 fits any size.

import { formatShape } from '../core/tensor.js';
import type { ConfigProblem } from './config-problem.js';
import type { PartConfig, TensorLink } from './ensemble-config.js';

/** A tensor as far as parts must agree on it. */
export interface PartTensor {
  readonly name: string;
  readonly dataType: string;
  /** With the batch dimension, where there is one. */
  readonly shape: readonly number[];
  readonly optional?: boolean;
}

/** A model that is part of a pipeline, or the pipeline itself. */
export interface PartModel {
  readonly name: string;
  /** 0: without a batch dimension. */
  readonly maxBatchSize: number;
  readonly inputs: readonly PartTensor[];
  readonly outputs: readonly PartTensor[];
}

/** A step, a stage, and the model it asks. */
export interface Part {
  readonly config: PartConfig;
  readonly model: PartModel;
  /** Of the step in the configuration. */
  readonly path: string;
}

/** `kind`: what the texts call it, for instance 'ensemble'. */
export function partProblems(
  kind: string,
  whole: PartModel,
  parts: readonly Part[],
): ConfigProblem[] {
  const checked = new PartCheck(kind, whole);
  for (const part of parts) checked.part(part);
  return checked.problems;
}

// ---- details below; callers need not read ----

interface Source {
  readonly tensor: PartTensor;
  readonly model: string;
}

class PartCheck {
  readonly problems: ConfigProblem[] = [];
  readonly #kind: string;
  readonly #whole: PartModel;
  /** By tensor of the whole: who said first what it is. */
  readonly #known = new Map<string, Source>();

  constructor(kind: string, whole: PartModel) {
    this.#kind = kind;
    this.#whole = whole;
    for (const tensor of [...whole.inputs, ...whole.outputs])
      if (!this.#known.has(tensor.name))
        this.#known.set(tensor.name, { tensor, model: whole.name });
  }

  part(part: Part): void {
    this.#batchSize(part);
    for (const link of part.config.inputs) this.#input(part, link);
    this.#missingInputs(part);
    for (const link of part.config.outputs) this.#output(part, link);
  }

  #batchSize({ model, path }: Part): void {
    const { name, maxBatchSize } = this.#whole;
    // Without a batch dimension of its own the whole says nothing of sizes.
    if (model.maxBatchSize >= maxBatchSize) return;
    const text =
      `${this.#kind} ${name} allows maximum batch size ${maxBatchSize}, but it contains model ${model.name} which only ` +
      `allows maximum batch size to be ${model.maxBatchSize}`;
    this.problems.push({ path, message: text });
  }

  #input(part: Part, { part: input, whole }: TensorLink): void {
    const path = `${part.path}.input_map["${input}"]`;
    const tensor = part.model.inputs.find(({ name }) => name === input);
    if (tensor) this.#consistent(whole, { tensor, model: part.model.name }, path);
    else
      this.#add(
        path,
        `${this.#kind} tensor ${whole} is mapping to non-existing input ${input} in model ${part.model.name}`,
      );
  }

  #missingInputs({ config, model, path }: Part): void {
    for (const { name, optional } of model.inputs) {
      if (optional || config.inputs.some(({ part }) => part === name)) continue;
      const text = `input ${name} in model ${model.name} is not mapped to any ${this.#kind} tensors`;
      this.#add(`${path}.input_map`, text);
    }
  }

  #output(part: Part, { part: output, whole }: TensorLink): void {
    const path = `${part.path}.output_map["${output}"]`;
    const tensor = part.model.outputs.find(({ name }) => name === output);
    if (tensor) this.#consistent(whole, { tensor, model: part.model.name }, path);
    else
      this.#add(
        path,
        `${this.#kind} tensor ${whole} is mapped from non-existing output ${output} in model ${part.model.name}`,
      );
  }

  #consistent(name: string, mine: Source, path: string): void {
    const known = this.#known.get(name);
    if (!known) {
      this.#known.set(name, mine);
      return;
    }
    const start = `${this.#kind} tensor ${name}: `;
    if (known.tensor.dataType !== mine.tensor.dataType) {
      const text = disagreement('data type', { known, mine }, ({ dataType }) => dataType);
      this.#add(path, start + text);
    } else if (!fits(known.tensor.shape, mine.tensor.shape)) {
      const text = disagreement('shape', { known, mine }, ({ shape }) => formatShape(shape));
      this.#add(path, start + text);
    }
  }

  #add(path: string, text: string): void {
    this.problems.push({ path, message: `in ${this.#kind} ${this.#whole.name}, ${text}` });
  }
}

function disagreement(
  what: string,
  { known, mine }: { known: Source; mine: Source },
  show: (tensor: PartTensor) => string,
): string {
  return (
    `inconsistent ${what}: ${show(known.tensor)} is inferred from model ${known.model} while ` +
    `${show(mine.tensor)} is inferred from model ${mine.model}`
  );
}

/** Whether there are sizes that are both; -1 is any. */
export function fits(one: readonly number[], other: readonly number[]): boolean {
  return (
    one.length === other.length &&
    one.every((size, at) => size === -1 || other[at] === -1 || size === other[at])
  );
}
