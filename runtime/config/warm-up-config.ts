// model_warmup of a configuration, checked against the completed inputs of the model: what instances run before they serve.

import type { DataType } from '../core/data-type.js';
import { dataTypeFromConfig } from '../core/data-type.js';
import { requestIdPrefix } from '../core/inference.js';
import type { ConfigProblem } from './config-problem.js';
import { wrongShapeText, wrongTypeText } from './input-texts.js';
import type { Int64 } from './model-config-message.js';
import type { ModelConfig, TensorSpec } from './model-config.js';

export interface WarmUpInput {
  readonly name: string;
  readonly dataType: DataType;
  /** Of one request, without the batch dimension. */
  readonly dims: readonly number[];
  readonly source: WarmUpSource;
}

export type WarmUpSource =
  | { readonly kind: 'zero' }
  | { readonly kind: 'random' }
  /** In the directory warmup/ of the model. */
  | { readonly kind: 'file'; readonly filename: string };

export interface WarmUpSample {
  readonly name: string;
  /** Requests of one row each that are executed together. */
  readonly requests: number;
  /** How often each instance executes them. */
  readonly runs: number;
  /** In the order of the model's inputs. */
  readonly inputs: readonly WarmUpInput[];
}

export interface WarmUpReading {
  readonly samples: readonly WarmUpSample[];
  readonly problems: readonly ConfigProblem[];
}

/** Samples of batch size 0 are left out, as in Triton. */
export function readWarmUp(config: ModelConfig): WarmUpReading {
  const problems: ConfigProblem[] = [];
  const messages = (config.message.model_warmup ?? []) as WarmUpMessage[];
  const samples = messages.map((message, index) => {
    const reader = new SampleReader(config, message, `model_warmup[${index}]`);
    const sample = reader.read();
    problems.push(...reader.problems);
    return sample;
  });
  return { samples: samples.filter(({ requests }) => requests > 0), problems };
}

// ---- details below; callers need not read ----

interface WarmUpMessage {
  readonly name?: string;
  readonly batch_size?: number;
  readonly count?: number;
  readonly inputs?: Readonly<Record<string, WarmUpInputMessage>>;
}

interface WarmUpInputMessage {
  readonly data_type?: string;
  readonly dims?: readonly Int64[];
  readonly zero_data?: boolean;
  readonly random_data?: boolean;
  readonly input_data_file?: string;
}

class SampleReader {
  readonly problems: ConfigProblem[] = [];
  readonly #config: ModelConfig;
  readonly #message: WarmUpMessage;
  readonly #path: string;

  constructor(config: ModelConfig, message: WarmUpMessage, path: string) {
    this.#config = config;
    this.#message = message;
    this.#path = path;
  }

  read(): WarmUpSample {
    const { name = '', batch_size: requests = 0, count = 0, inputs = {} } = this.#message;
    const { batched, batching } = this.#config;
    const most = batched ? batching.maxBatchSize : 1;
    if (requests > most)
      this.#problem(
        'batch_size',
        `is ${requests}, expected at most ${most} for '${this.#config.name}'`,
      );
    const specs = new Map(this.#config.inputs.map((spec) => [spec.name, spec]));
    for (const input of Object.keys(inputs))
      if (!specs.has(input)) this.#problem('inputs', `names '${input}', which the model has not`);
    return {
      name,
      requests,
      runs: count || 1,
      inputs: this.#config.inputs.flatMap((spec) => this.#input(spec, inputs[spec.name]) ?? []),
    };
  }

  #input(spec: TensorSpec, message: WarmUpInputMessage | undefined): WarmUpInput | undefined {
    const { name, dataType } = spec;
    // What the server feeds by itself (sequence-feed) is zeros unless the sample says otherwise.
    if (!message && spec.optional)
      return {
        name,
        dataType,
        dims: spec.dims.map((size) => (size === -1 ? 1 : size)),
        source: ZEROS,
      };
    if (!message) {
      this.#problem('inputs', `lacks input '${name}' of the model`);
      return undefined;
    }
    const { data_type: type = 'TYPE_INVALID' } = message;
    const given = dataTypeFromConfig(type);
    if (given !== dataType)
      this.#refusal(`inputs['${name}'].data_type`, wrongTypeText(given, spec, this.#config));
    const dims = (message.dims ?? []).map(Number);
    this.#checkDims(spec, dims);
    const source = sourceOf(message);
    if (!source)
      this.#problem(
        `inputs['${name}']`,
        'has none of zero_data: true, random_data: true and input_data_file',
      );
    return { name, dataType, dims, source: source ?? ZEROS };
  }

  #checkDims(spec: TensorSpec, dims: readonly number[]): void {
    const { name, dims: wanted } = spec;
    const path = `inputs['${name}'].dims`;
    const isFit =
      dims.length === wanted.length && wanted.every((size, i) => size === -1 || size === dims[i]);
    if (dims.some((size) => size < 0))
      this.#problem(path, `dimension of warmup input '${name}' must have integer specified`);
    else if (!isFit) {
      const shape = this.#config.batched ? [1, ...dims] : dims;
      this.#refusal(path, wrongShapeText(shape, spec, this.#config));
    }
  }

  /** In the words in which a request like the sample's would be refused: Triton prepares it as one. */
  #refusal(field: string, text: string): void {
    const message = requestIdPrefix({ id: '' }) + text;
    this.problems.push({ path: `${this.#path}.${field}`, message });
  }

  #problem(field: string, text: string): void {
    const sample = this.#message.name ?? '';
    const message = `warmup sample '${sample}': ${field} ${text}`;
    this.problems.push({ path: `${this.#path}.${field}`, message });
  }
}

const ZEROS: WarmUpSource = { kind: 'zero' };

function sourceOf(message: WarmUpInputMessage): WarmUpSource | undefined {
  if (message.input_data_file) return { kind: 'file', filename: message.input_data_file };
  if (message.random_data) return { kind: 'random' };
  return message.zero_data ? { kind: 'zero' } : undefined;
}
