// config.pbtxt -> message. Everything else about a configuration starts from the message.

import type { ConfigProblem } from './config-problem.js';
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
