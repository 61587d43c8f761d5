// What the configuration of a model written in TypeScript says besides what all models have in common, and what it cannot say.

import type { ConfigProblem } from './config-problem.js';
import type { ModelConfigMessage } from './model-config-message.js';

export interface ScriptSettings {
  readonly decoupled: boolean;
  /** Parameters of config.pbtxt. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Batches that one instance runs at once. */
  readonly concurrency: number;
  readonly executionMs: number;
  readonly initializationMs: number;
  readonly heapMb: number;
}

export interface ScriptSettingsReading {
  readonly settings: ScriptSettings;
  readonly problems: readonly ConfigProblem[];
}

export function readScriptSettings(message: ModelConfigMessage): ScriptSettingsReading {
  const decoupled = message.model_transaction_policy?.decoupled === true;
  const numbers = new Numbers(message);
  const settings: ScriptSettings = {
    decoupled,
    parameters: textParameters(message),
    // Streams last; one must not keep others waiting.
    concurrency: numbers.read('max_concurrent_executions', decoupled ? 64 : 1),
    executionMs: numbers.read('max_execution_ms', 30_000),
    initializationMs: numbers.read('max_initialization_ms', 60_000),
    heapMb: numbers.read('max_heap_mb', 512),
  };
  const problems = [...numbers.problems, ...missingTensors(message), ...unknownSettings(message)];
  return { settings, problems };
}

// ---- details below; callers need not read ----

const LARGEST = 2 ** 31 - 1;

class Numbers {
  readonly problems: ConfigProblem[] = [];
  readonly #parameters: Readonly<Record<string, string>>;

  constructor(message: ModelConfigMessage) {
    this.#parameters = textParameters(message);
  }

  read(key: string, otherwise: number): number {
    const text = this.#parameters[key];
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^\d+$/.test(text) && value > 0 && value <= LARGEST) return value;
    const message = `parameter '${key}' must be a whole number from 1 to ${LARGEST}, got '${text}'`;
    this.problems.push({ path: `parameters["${key}"]`, message });
    return otherwise;
  }
}

function textParameters({ parameters = {} }: ModelConfigMessage): Record<string, string> {
  const pairs = Object.entries(parameters);
  return Object.fromEntries(pairs.map(([key, value]) => [key, value.string_value ?? '']));
}

function missingTensors({
  name = '',
  input = [],
  output = [],
}: ModelConfigMessage): ConfigProblem[] {
  const missing = [...(input.length ? [] : ['input']), ...(output.length ? [] : ['output'])];
  return missing.map((path) => ({
    path,
    message: `model '${name}' must declare its ${path}s in config.pbtxt: code does not say what it takes and gives`,
  }));
}

const FILENAME = /\.(?:ts|mts|js|mjs)$/;

interface Refusal {
  readonly path: string;
  readonly isSet: boolean;
  readonly says: string;
}

const NOT_MERGED =
  'requests are not merged into one tensor whose parts would have to be told: each comes to the code by itself, so there is no place for it in the configuration';

function unknownSettings(message: ModelConfigMessage): ConfigProblem[] {
  const of = `of model '${message.name ?? ''}', which is written in TypeScript`;
  return [...refusals(message), ...sequenceRefusals(message)]
    .filter(({ isSet }) => isSet)
    .map(({ path, says }) => ({ path, message: `${says} ${of}` }));
}

function refusals(message: ModelConfigMessage): Refusal[] {
  const { default_model_filename: filename = '', instance_group: groups = [] } = message;
  const isDecoupled = message.model_transaction_policy?.decoupled === true;
  return [
    {
      path: 'default_model_filename',
      isSet: !FILENAME.test(filename),
      says: `'${filename}' is no .ts, .mts, .js or .mjs file, as the file`,
    },
    { path: 'batch_input', isSet: !!message.batch_input?.length, says: NOT_MERGED },
    { path: 'batch_output', isSet: !!message.batch_output?.length, says: NOT_MERGED },
    {
      path: 'response_cache',
      isSet: isDecoupled && message.response_cache?.enable === true,
      says: 'a cache cannot keep the answers, being any number,',
    },
    ...groups.map(({ kind }, index) => ({
      path: `instance_group[${index}].kind`,
      isSet: kind === 'KIND_GPU',
      says: 'KIND_GPU cannot be the kind of instances',
    })),
  ];
}

function sequenceRefusals({
  sequence_batching: batching,
  model_transaction_policy: policy,
}: ModelConfigMessage): Refusal[] {
  return [
    {
      path: 'sequence_batching.state',
      isSet: !!batching?.state?.length,
      says: 'what a step leaves for the next one is request.sequence.state in the code, and no tensor,',
    },
    {
      path: 'sequence_batching',
      isSet: batching !== undefined && policy?.decoupled === true,
      says: 'steps of sequences have one answer each, and not any number, as the requests',
    },
  ];
}
