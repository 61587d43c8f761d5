// --rate-limit-resource NAME:COUNT[:DEVICE]: what there is of the resources that instances share.

import { InvalidOption } from './invalid-option.js';

export interface ResourceLimit {
  readonly name: string;
  readonly count: number;
  /** Undefined: each device has as many, and so has the server of a global resource. */
  readonly device: number | undefined;
}

/** @throws InvalidOption */
export function readResourceLimits(texts: readonly string[]): ResourceLimit[] {
  return texts.map((text) => {
    const match = /^(.+?):(\d{1,9})(?::(\d{1,9}))?$/.exec(text);
    if (!match)
      throw new InvalidOption(`--rate-limit-resource takes NAME:COUNT[:DEVICE], got '${text}'`);
    const [, name = '', count, device] = match;
    return {
      name,
      count: Number(count),
      device: device === undefined ? undefined : Number(device),
    };
  });
}
