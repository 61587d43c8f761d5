// The steps of an ensemble, compiled. Its tensors are known by name alone: a step reads some and writes others.

import type { ModelReference } from '../core/pipeline-node.js';
import type { Int64, ModelConfigMessage, PartMessage } from './model-config-message.js';

/** One tensor of a model, and the tensor of the whole it is read from or written to. */
export interface TensorLink {
  readonly part: string;
  readonly whole: string;
}

/** How a pipeline asks one of its models. */
export interface PartConfig {
  readonly model: ModelReference;
  readonly inputs: readonly TensorLink[];
  readonly outputs: readonly TensorLink[];
  /** From when it is asked; Infinity: bounded by the request alone. */
  readonly timeoutMs: number;
  /** A failure leaves its outputs absent, and the whole goes on. */
  readonly continues: boolean;
}

export interface EnsembleConfig {
  readonly steps: readonly PartConfig[];
  /** Answers of one request that each step may be working on at once; Infinity: any number. */
  readonly maxInflight: number;
}

/** Undefined: it is no ensemble. The message must be valid (validate-ensemble). */
export function ensembleConfig(message: ModelConfigMessage): EnsembleConfig | undefined {
  const { ensemble_scheduling: scheduling } = message;
  if (!scheduling) return undefined;
  return Object.freeze({
    steps: Object.freeze((scheduling.step ?? []).map(partConfig)),
    maxInflight: scheduling.max_inflight_requests || Infinity,
  });
}

export function partConfig(part: PartMessage): PartConfig {
  return Object.freeze({
    model: referenceOf(part),
    inputs: linksOf(part.input_map),
    outputs: linksOf(part.output_map),
    timeoutMs: Number(part.timeout_microseconds ?? 0) / 1000 || Infinity,
    continues: part.on_error === 'CONTINUE',
  });
}

/** Version 0: the latest, which is also written -1. */
export function referenceOf(part: {
  readonly model_name?: string;
  readonly model_version?: Int64;
}): ModelReference {
  return { name: part.model_name ?? '', version: Math.max(Number(part.model_version ?? 0), 0) };
}

// ---- details below; callers need not read ----

function linksOf(map: Readonly<Record<string, string>> = {}): readonly TensorLink[] {
  return Object.freeze(Object.entries(map).map(([part, whole]) => ({ part, whole })));
}
