// The slots of sequences by the strategy of the configuration.

import type { ModelConfig } from '../config/model-config.js';
import { bug } from '../core/errors.js';
import { DirectSlots } from './direct-slots.js';
import { OldestSlots } from './oldest-slots.js';
import type { SameShape, SequenceSlots } from './sequence-slots.js';

export function createSlots(
  config: ModelConfig,
  setup: { readonly instances: number; readonly sameShape: SameShape },
): SequenceSlots {
  const { sequence, name } = config;
  if (!sequence) throw bug(`model '${name}' has no sequences`);
  return sequence.strategy === 'direct'
    ? new DirectSlots(sequence, setup)
    : new OldestSlots(config, sequence, setup);
}
