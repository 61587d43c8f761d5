// The last good answer for each value of a request parameter, on memory of its own. Those that were kept longest ago leave when there are
// too many or they take too much; an answer that is larger than all of that is not kept.

import { compactOutputs } from '../core/compact-outputs.js';
import { bytesIn } from '../core/tensor.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';

export interface LastGoodOptions {
  readonly keyParameter: string;
  /** Infinity: however old it is. */
  readonly maxAgeMs: number;
}

/** A request, and how many rows it has: what was answered for as many fits no other. */
export interface AskedRows {
  readonly request: InferenceRequest;
  readonly rows: number;
}

/** Of one version of a model. */
const MOST_ENTRIES = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;
/** What an entry takes besides its data and its key; a guess. */
const ENTRY_BYTES = 512;

interface Entry {
  readonly response: InferenceResponse;
  readonly bytes: number;
  readonly keptAt: number;
}

export class LastGoodAnswers {
  readonly #options: LastGoodOptions;
  /** In the order in which they were kept. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(options: LastGoodOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  keep(asked: AskedRows, response: InferenceResponse, now: number): void {
    const key = keyOf(asked, this.#options.keyParameter);
    if (key === undefined) return;
    this.#drop(key);
    const bytes = bytesIn(response.outputs) + 2 * key.length + ENTRY_BYTES;
    if (bytes > MOST_BYTES) return;
    const { modelName, modelVersion } = response;
    const outputs = compactOutputs(response.outputs);
    this.#entries.set(key, { response: { modelName, modelVersion, outputs }, bytes, keptAt: now });
    this.#bytes += bytes;
    while (this.#entries.size > MOST_ENTRIES || this.#bytes > MOST_BYTES)
      this.#drop(this.#entries.keys().next().value!);
  }

  /** Undefined: there is none, or it is too old. */
  find(asked: AskedRows, now: number): InferenceResponse | undefined {
    const key = keyOf(asked, this.#options.keyParameter);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (!entry || now - entry.keptAt > this.#options.maxAgeMs) return undefined;
    return entry.response;
  }

  // ---- details below; callers need not read ----

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** An answer has only the outputs that were asked for, so these belong to it. Undefined: the request has no such parameter. */
function keyOf({ request, rows }: AskedRows, parameter: string): string | undefined {
  const { parameters, outputs } = request;
  const value = parameters.custom.get(parameter);
  if (value === undefined) return undefined;
  return JSON.stringify([
    typeof value,
    String(value),
    rows,
    ...outputs.map(({ name }) => name).sort(),
  ]);
}
