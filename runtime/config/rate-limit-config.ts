// --rate-limit-resource NAME:COUNT[:DEVICE]: what there is of the resources that instances share.

import { InvalidOption } from './invalid-option.js';

/** Triton's text. */
const FORMAT =
  "--rate-limit-resource option format is '<resource_name>:<count>:<device>' or '<resource_name>:<count>'";

export interface ResourceLimit {
  readonly name: string;
  readonly count: number;
  /** Undefined: each device has as many, and so has the server of a global resource. */
  readonly device: number | undefined;
}

/** Of two that say how much there is of the same, the smaller holds, as in Triton. @throws InvalidOption */
export function readResourceLimits(texts: readonly string[]): ResourceLimit[] {
  const limits = new Map<string, ResourceLimit>();
  for (const text of texts) {
    const limit = readResourceLimit(text);
    const key = `${limit.device ?? 'each'}:${limit.name}`;
    const before = limits.get(key);
    if (!before || limit.count < before.count) limits.set(key, limit);
  }
  return [...limits.values()];
}

// ---- details below; callers need not read ----

function readResourceLimit(text: string): ResourceLimit {
  const match = /^([^:]+):(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
  if (!match) throw new InvalidOption(`${FORMAT}. Got ${text}`);
  const [, name = '', count, device] = match;
  return {
    name,
    count: Number(count),
    device: device === undefined ? undefined : Number(device),
  };
}
