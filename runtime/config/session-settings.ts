// ONNX Runtime session settings out of a model's parameters, with the names Triton's ONNX backend reads, and what of a
// configuration has no effect here. Any parameter that starts with "session." is passed to ONNX Runtime as it is.

import type { ConfigProblem } from './config-problem.js';
import type { ModelConfigMessage } from './model-config-message.js';

export interface SessionSettings {
  /** 0: not said; the server divides the cores among the instances. */
  readonly intraOpThreads: number;
  readonly interOpThreads: number;
  readonly parallelExecution: boolean;
  readonly graphOptimization: 'disabled' | 'basic' | 'extended' | 'all';
  /** Keeps freed memory for the next run. Off unless asked for: with it, memory of unloaded models is not given back. */
  readonly memArena: boolean;
  readonly memPattern: boolean;
  /** ONNX Runtime's own configuration entries, such as "session.intra_op.allow_spinning". */
  readonly entries: Readonly<Record<string, string>>;
}

export interface SessionSettingsReading {
  readonly settings: SessionSettings;
  readonly problems: readonly ConfigProblem[];
}

export function readSessionSettings(message: ModelConfigMessage): SessionSettingsReading {
  const parameters = new Parameters(message);
  const settings: SessionSettings = {
    intraOpThreads: parameters.integer('intra_op_thread_count', 0),
    interOpThreads: parameters.integer('inter_op_thread_count', 0),
    parallelExecution: parameters.integer('execution_mode', 0) === 1,
    graphOptimization: graphOptimization(message.optimization?.graph?.level ?? 0),
    memArena: parameters.integer('enable_mem_arena', 0) !== 0,
    memPattern: parameters.integer('enable_mem_pattern', 1) !== 0,
    entries: parameters.entries(),
  };
  return { settings, problems: parameters.problems };
}

/** What the configuration says and this server does not do, a sentence each. */
export function ineffectiveSettings(message: ModelConfigMessage): string[] {
  const { optimization, cc_model_filenames: files, parameters = {} } = message;
  const accelerators = optimization?.execution_accelerators ?? {};
  return [
    ...Object.values(accelerators)
      .flat()
      .map(({ name = '' }) => `execution accelerator '${name}' is not available and ignored`),
    ...(optimization?.cuda ? ['optimization.cuda is known only to CUDA graphs and ignored'] : []),
    ...(files ? ['cc_model_filenames is known only to TensorRT and ignored'] : []),
    ...Object.keys(parameters)
      .filter((key) => UNREACHABLE.includes(key))
      .map((key) => `parameter '${key}' cannot reach ONNX Runtime from Node and is ignored`),
  ];
}

// ---- details below; callers need not read ----

const UNREACHABLE = [
  'cudnn_conv_algo_search',
  'gpu_mem_limit',
  'arena_extend_strategy',
  'do_copy_in_default_stream',
  'memory.enable_memory_arena_shrinkage',
];

class Parameters {
  readonly problems: ConfigProblem[] = [];
  readonly #values: Map<string, string>;

  constructor({ parameters = {} }: ModelConfigMessage) {
    this.#values = new Map(
      Object.entries(parameters).map(([key, value]) => [key, value.string_value ?? '']),
    );
  }

  integer(key: string, otherwise: number): number {
    const text = this.#values.get(key);
    if (text === undefined) return otherwise;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    this.problems.push({
      path: `parameters["${key}"]`,
      message: `failed to convert ${key} '${text}' to integral number`,
    });
    return otherwise;
  }

  entries(): Record<string, string> {
    return Object.fromEntries([...this.#values].filter(([key]) => key.startsWith('session.')));
  }
}

function graphOptimization(level: number): SessionSettings['graphOptimization'] {
  if (level === 0) return 'all';
  if (level < 0) return 'basic';
  return level === 1 ? 'extended' : 'disabled';
}
