// ONNX Runtime session settings out of a model's parameters, with the names Triton's ONNX backend reads. Any parameter that starts
// with "session." is passed to ONNX Runtime as it is.

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

// ---- details below; callers need not read ----

/** Words of letters, digits and underscores, joined by dots. */
const ENTRY_NAME = /^session(?:\.[a-zA-Z0-9][a-zA-Z0-9_]*)+$/;

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
    const entries = [...this.#values].filter(([key]) => key.startsWith('session.'));
    for (const [key] of entries) this.#checkEntry(key, entries);
    return Object.fromEntries(entries);
  }

  /** onnxruntime-node takes "a.b" as an object with a key b in an object with a key a, so a may not have a value besides. */
  #checkEntry(key: string, entries: readonly (readonly [string, string])[]): void {
    const path = `parameters["${key}"]`;
    if (!ENTRY_NAME.test(key))
      this.problems.push({ path, message: `'${key}' is no name that ONNX Runtime could know` });
    const longer = entries.find(([other]) => other.startsWith(`${key}.`));
    if (longer)
      this.problems.push({ path, message: `'${key}' cannot be set beside '${longer[0]}'` });
  }
}

function graphOptimization(level: number): SessionSettings['graphOptimization'] {
  if (level === 0) return 'all';
  if (level < 0) return 'basic';
  return level === 1 ? 'extended' : 'disabled';
}
