// Where the values of a model's configuration come from. Pure: the stages that a configuration goes through in, origins out.

import { configValues } from './config-values.js';
import type { ModelConfigMessage } from './model-config-message.js';

/** file: config.pbtxt. load call: its parameter `config`. model: read from the model itself. default: nobody said anything. */
export type ConfigOrigin = 'file' | 'load call' | 'model' | 'default';

export interface ConfigStage {
  readonly message: ModelConfigMessage;
  /** Of what this stage has and the one before it has not. */
  readonly origin: ConfigOrigin;
}

/**
 * By path, in the order of the .proto. The last stage is the configuration in force; the origin of a value is that of the stage
 * since which it has been what it is.
 */
export function configOrigins(stages: readonly ConfigStage[]): ReadonlyMap<string, ConfigOrigin> {
  const history = stages.map(({ message, origin }) => ({ values: configValues(message), origin }));
  const origins = new Map<string, ConfigOrigin>();
  for (const [path, value] of history.at(-1)?.values ?? []) {
    const other = history.findLastIndex(({ values }) => values.get(path) !== value);
    origins.set(path, history[other + 1]!.origin);
  }
  return origins;
}
