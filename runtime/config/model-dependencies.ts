// Which other models a model asks, by its configuration.

import { referenceOf } from './ensemble-config.js';
import type { ModelConfigMessage, PartMessage } from './model-config-message.js';
import type { ModelReference } from '../core/pipeline-node.js';

export interface ModelDependency extends ModelReference {
  /** It cannot serve without it; otherwise it is asked only when something else fails. */
  readonly required: boolean;
}

/** Each model and version once, in the order in which they are named. */
export function dependenciesOf(message: ModelConfigMessage): ModelDependency[] {
  const parts = [
    ...(message.ensemble_scheduling?.step ?? []),
    ...(message.cascade_scheduling?.stage ?? []),
  ];
  const resilience = message['resilience'] as { fallback?: PartMessage[] } | undefined;
  const targets = (resilience?.fallback ?? []).filter(({ model_name: name }) => name);
  const all = [
    ...parts.map((part) => ({ ...referenceOf(part), required: true })),
    ...targets.map((part) => ({ ...referenceOf(part), required: false })),
  ].filter(({ name }) => name !== '');
  const first = new Map<string, ModelDependency>();
  for (const one of all) {
    const key = `${one.name}:${one.version}`;
    if (!first.has(key)) first.set(key, one);
  }
  return [...first.values()];
}
