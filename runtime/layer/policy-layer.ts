// One policy of a model's `resilience` block: a layer, and the node by which people see it. Made once for a version.

import type { Clock } from '../core/clock.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { InferenceRequest } from '../core/inference.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import type { Servable } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';

export interface PolicyLayer {
  around(inner: Servable): Servable;
  /** `inside`: what it is around. */
  node(inside: PipelineNode): PipelineNode;
}

/** What policies are told of the version they are for, and what they measure time with. */
export interface PolicyParts {
  readonly model: Pick<ServedModel, 'name' | 'version' | 'batched' | 'outputs'>;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Of a request for that model. */
export function rowsOf({ inputs }: InferenceRequest, { batched }: PolicyParts['model']): number {
  return batched ? (inputs[0]?.shape[0] ?? 1) : 1;
}
