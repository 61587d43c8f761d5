// Checks a request against the model's configuration, in Triton's order and with its texts, and puts the inputs into the order
// of the configuration, so that everything behind this layer finds them by position.

import { wrongShapeText, wrongTypeText } from '../config/input-texts.js';
import type { ModelConfig, TensorSpec } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { requestIdPrefix, type InferenceRequest } from '../core/inference.js';
import type { Layer, Reply, Servable } from '../core/servable.js';
import { formatShape, type Tensor } from '../core/tensor.js';
import { checkStrings } from './check-strings.js';

export interface ValidationOptions {
  /** The model can only take text: BYTES elements must be UTF-8 without NUL. True of ONNX string tensors. */
  readonly textOnly: boolean;
}

export function validateInputs(config: ModelConfig, options: ValidationOptions): Layer {
  return (inner) => new ValidatedServable(inner, config, options);
}

class ValidatedServable implements Servable {
  readonly #inner: Servable;
  readonly #validator: RequestValidator;

  constructor(inner: Servable, config: ModelConfig, options: ValidationOptions) {
    this.#inner = inner;
    this.#validator = new RequestValidator(config, options);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    let valid;
    try {
      valid = this.#validator.validate(request);
    } catch (error) {
      reply.end(RuntimeError.from(error));
      return;
    }
    this.#inner.infer(valid, call, reply);
  }
}

// ---- details below; callers need not read ----

class RequestValidator {
  readonly #config: ModelConfig;
  readonly #options: ValidationOptions;
  readonly #required: number;

  constructor(config: ModelConfig, options: ValidationOptions) {
    this.#config = config;
    this.#options = options;
    this.#required = config.inputs.filter(({ optional }) => !optional).length;
  }

  /** The request with its inputs in the order of the configuration; the same object if they already were. */
  validate(request: InferenceRequest): InferenceRequest {
    this.#checkOutputs(request);
    const inputs = this.#orderedInputs(request);
    if (this.#config.batched) this.#checkBatch(request);
    const { inputs: specs } = this.#config;
    // Of several faults Triton names that of the input given last: its hash map hands them out backwards.
    for (let i = request.inputs.length - 1; i >= 0; i--) {
      const input = request.inputs[i]!;
      const spec = inputs === request.inputs ? specs[i] : specs.find(isNamed(input.name));
      this.#checkInput(request, input, spec!);
    }
    return inputs === request.inputs ? request : { ...request, inputs };
  }

  #checkOutputs({ outputs }: InferenceRequest): void {
    const { name: model, outputs: specs } = this.#config;
    if (outputs.every(({ name }) => specs.some((spec) => spec.name === name))) return;
    const unknown = outputs.map(({ name }) => name).filter((name) => !specs.some(isNamed(name)));
    // Triton keeps them sorted.
    const text = `unexpected inference output '${unknown.sort()[0]!}' for model '${model}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  #orderedInputs(request: InferenceRequest): readonly Tensor[] {
    const specs = this.#config.inputs;
    const { inputs } = request;
    if (inputs.length < this.#required || inputs.length > specs.length)
      throw this.#wrongCount(request);
    if (inOrder(inputs, specs)) return inputs;
    for (const { name } of [...inputs].reverse()) {
      if (specs.some((spec) => spec.name === name)) continue;
      const text = `unexpected inference input '${name}' for model '${this.#config.name}'`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
    const given = specs.flatMap((spec) => inputs.find(({ name }) => name === spec.name) ?? []);
    const isMissing = specs.some((spec) => !spec.optional && !given.some(isNamed(spec.name)));
    if (isMissing) throw this.#wrongCount(request);
    return given;
  }

  #wrongCount(request: InferenceRequest): RuntimeError {
    const { inputs: specs, name: model } = this.#config;
    const got = request.inputs.map(({ name }) => `'${name}'`).reverse();
    const missing = specs
      .filter((spec) => !spec.optional && !request.inputs.some(({ name }) => name === spec.name))
      .map(({ name }) => `'${name}'`);
    const expected =
      this.#required === specs.length
        ? `expected ${specs.length} inputs`
        : `expected number of inputs between ${this.#required} and ${specs.length}`;
    return invalid(
      request,
      `${expected} but got ${got.length} inputs for model '${model}'. Got input(s) [${got.join(',')}], but missing ` +
        `required input(s) [${missing.join(',')}]. Please provide all required input(s).`,
    );
  }

  #checkBatch(request: InferenceRequest): void {
    const { name: model } = this.#config;
    const { inputs } = request;
    const max = this.#config.batching.maxBatchSize;
    const rows = inputs.at(-1)?.shape[0];
    for (let i = inputs.length - 1; i >= 0; i--) {
      const { name, shape } = inputs[i]!;
      if (shape.length === 0)
        throw invalid(
          request,
          `input '${name}' has no shape but model requires batch dimension for '${model}'`,
        );
      if (shape[0] !== rows)
        throw invalid(
          request,
          `input '${name}' batch size does not match other inputs for '${model}'`,
        );
    }
    // A negative size is a huge one to Triton.
    if (rows! < 0 || rows! > max)
      throw invalid(request, `inference request batch-size must be <= ${max} for '${model}'`);
    if (rows === 0)
      throw invalid(request, `inference request batch-size must be >= 1 for '${model}'`);
  }

  #checkInput(request: InferenceRequest, input: Tensor, spec: TensorSpec): void {
    if (input.dataType !== spec.dataType)
      throw invalid(request, wrongTypeText(input.dataType, spec, this.#config));
    const { name: model } = this.#config;
    const elements = this.#checkShape(request, input, spec);
    if (spec.dataType === 'BYTES') {
      const problem = checkStrings(input, { elements, model, textOnly: this.#options.textOnly });
      if (!problem) return;
      throw new RuntimeError(
        'INVALID_ARGUMENT',
        (problem.prefixed ? requestIdPrefix(request) : '') + problem.text,
      );
    }
    const expected = elements * elementBytes(spec.dataType);
    if (input.data.byteLength === expected) return;
    throw invalid(
      request,
      `input byte size mismatch for input '${spec.name}' for model '${model}'. Expected ${wholeNumber(expected)}, ` +
        `got ${input.data.byteLength}`,
    );
  }

  /** Returns the number of elements. */
  #checkShape(request: InferenceRequest, { shape }: Tensor, spec: TensorSpec): number {
    const fits = this.#fits(request, shape, spec);
    let elements = 1;
    for (const size of shape) elements *= size;
    if (fits && !isImpossible(shape, elements)) return elements;
    throw invalid(request, wrongShapeText(shape, spec, this.#config));
  }

  /** The number of rows has been checked before. @throws RuntimeError for a size that is left open, if no size before it is wrong */
  #fits(request: InferenceRequest, shape: readonly number[], spec: TensorSpec): boolean {
    const { dims } = spec;
    const start = this.#config.batched ? 1 : 0;
    if (shape.length !== dims.length + start) return false;
    for (let i = 0; i < dims.length; i++) {
      const size = shape[i + start]!;
      if (size < 0) throw this.#unspecified(request, shape, spec);
      if (dims[i] !== -1 && dims[i] !== size) return false;
    }
    return true;
  }

  #unspecified(
    request: InferenceRequest,
    shape: readonly number[],
    spec: TensorSpec,
  ): RuntimeError {
    return invalid(
      request,
      `All input dimensions should be specified for input '${spec.name}' for model '${this.#config.name}', ` +
        `got ${formatShape(shape)}`,
    );
  }
}

function isNamed(wanted: string): (tensor: { readonly name: string }) => boolean {
  return ({ name }) => name === wanted;
}

function inOrder(inputs: readonly Tensor[], specs: readonly TensorSpec[]): boolean {
  for (let i = 0; i < specs.length; i++) if (specs[i]!.name !== inputs[i]?.name) return false;
  return true;
}

function invalid(request: InferenceRequest, text: string): RuntimeError {
  return new RuntimeError('INVALID_ARGUMENT', requestIdPrefix(request) + text);
}

/** ONNX Runtime's binding takes no larger ones. */
const LARGEST_SIZE = 2 ** 31 - 1;

/** Sizes that no tensor has, hidden by a size of 0 beside them. Others show when their bytes are counted. */
function isImpossible(shape: readonly number[], elements: number): boolean {
  return elements === 0 && shape.some((size) => size > LARGEST_SIZE);
}

/** Without the exponent that JavaScript would write. */
function wholeNumber(value: number): string {
  if (value >= 2 ** 64) return 'more than 18446744073709551615';
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}
