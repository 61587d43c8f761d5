// The `resilience` block of a model as layers around it, and as the tree by which people see it. The same for models of every kind: what
// they are inside is theirs. An unset policy has no layer, so it costs nothing.
//
//   limit > timeout > fallback > circuit breaker > retry > hedge > the model

import type { ResilienceConfig } from '../config/resilience-config.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import type { Layer } from '../core/servable.js';
import { CircuitBreaker } from '../layer/circuit-breaker.js';
import { ConcurrencyLimit } from '../layer/concurrency-limit.js';
import { fallbackTarget } from '../layer/fallback-target.js';
import { Fallback } from '../layer/fallback.js';
import { Hedge } from '../layer/hedge.js';
import type { PolicyLayer, PolicyParts } from '../layer/policy-layer.js';
import { Retry } from '../layer/retry.js';
import { CountedServable, TellingServable } from '../layer/served-by.js';
import { Timeout } from '../layer/timeout.js';
import { ModelRef } from '../pipeline/model-ref.js';
import type { AssemblyParts } from './assembly-parts.js';

export interface ModelResilience {
  /** Outermost first; to stand behind the validation and before everything that is the model. */
  readonly layers: readonly Layer[];
  /** With the model's own node as its innermost. */
  readonly node: PipelineNode;
}

export interface ResilienceParts extends Pick<AssemblyParts, 'clock' | 'wheel'> {
  readonly catalog: ModelCatalog;
  /** From 0 to below 1; Math.random unless a test wants to know. */
  readonly random?: () => number;
}

/** Undefined for a model without a policy. `inside`: the model as it is without one. */
export function modelResilience(
  config: ResilienceConfig | undefined,
  { catalog, clock, wheel, random = Math.random }: ResilienceParts,
  { model, inside }: { readonly model: PolicyParts['model']; readonly inside: PipelineNode },
): ModelResilience | undefined {
  if (!config) return undefined;
  const { name, version, batched, outputs } = model;
  const parts = { model: { name, version, batched, outputs }, clock, wheel, random };
  const policies = policiesOf(config, parts, catalog);
  return {
    layers: [
      (inner) => new TellingServable(inner),
      ...policies.map(
        (policy): Layer =>
          (inner) =>
            policy.around(inner),
      ),
      (inner) => new CountedServable(inner),
    ],
    node: policies.reduceRight((node, policy) => policy.node(node), inside),
  };
}

// ---- details below; callers need not read ----

function policiesOf(
  config: ResilienceConfig,
  parts: PolicyParts,
  catalog: ModelCatalog,
): PolicyLayer[] {
  const { maxConcurrency, timeoutMs, fallback, circuitBreaker, retry, hedge } = config;
  const targets = fallback.map((options, index) =>
    fallbackTarget(options, index + 1, (model) => new ModelRef(catalog, model)),
  );
  const policies = [
    maxConcurrency && new ConcurrencyLimit(maxConcurrency, parts),
    timeoutMs && new Timeout(timeoutMs, parts),
    targets.length > 0 && new Fallback(targets, parts),
    circuitBreaker && new CircuitBreaker(circuitBreaker, parts),
    retry && new Retry(retry, parts),
    hedge && new Hedge(hedge, parts),
  ];
  return policies.filter((policy) => typeof policy === 'object');
}
