// config.pbtxt, or the JSON of a load call -> message. Everything else about a configuration starts from the message.

import type { ConfigProblem } from './config-problem.js';
import { readJson } from './json-format.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { modelConfigType } from './model-config-schema.js';
import { readText } from './text-format.js';

export interface ParsedModelConfig {
  readonly message: ModelConfigMessage;
  readonly problems: readonly ConfigProblem[];
}

export function parseModelConfig(text: string): ParsedModelConfig {
  const { message, problems } = readText(modelConfigType(), text);
  return { message, problems };
}

export function parseJsonModelConfig(json: string): ParsedModelConfig {
  return readJson(modelConfigType(), json);
}
