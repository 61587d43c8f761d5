// inference.ModelConfig as another server sends it -> message. What was not sent is absent.

import { RuntimeError } from '../core/errors.js';
import type { ModelConfigMessage } from './model-config-message.js';
import { modelConfigType } from './model-config-schema.js';

/** @throws RuntimeError INTERNAL when the bytes are no such message */
export function decodeModelConfig(bytes: Uint8Array): ModelConfigMessage {
  const type = modelConfigType();
  try {
    return type.toObject(type.decode(bytes), { longs: Number, enums: String });
  } catch (error) {
    const { message } = error as Error;
    throw new RuntimeError('INTERNAL', `model configuration cannot be read: ${message}`);
  }
}
