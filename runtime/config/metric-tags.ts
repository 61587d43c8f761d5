// metric_tags of a configuration: labels that the metrics of the model have besides, as _KEY.

import type { ModelConfigMessage } from './model-config-message.js';

/** Those that can be labels. */
export function metricTags({ metric_tags: tags = {} }: ModelConfigMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => isTag(key)));
}

/** Keys that Prometheus could not read as a label, or keeps for itself. */
export function uselessTags({ metric_tags: tags = {} }: ModelConfigMessage): string[] {
  return Object.keys(tags).filter((key) => !isTag(key));
}

function isTag(key: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_]*$/.test(key);
}
