// Answers what has been asked before from the response cache, and keeps what was answered well. Around the scheduler and behind
// the validation: inputs are in the model's order, and a hit takes no place in a queue. The id of a response is that of its own
// request, because responses carry none. Two equal requests at once are both executed, as in Triton.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import type { Deadline } from '../core/deadline.js';
import type { RuntimeError } from '../core/errors.js';
import type { InferenceRequest, InferenceResponse } from '../core/inference.js';
import type { CacheStat } from '../core/model-statistics.js';
import type { Layer, Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { cacheKey, identityOf, type VersionIdentity } from './cache-key.js';
import type { CacheLookup, ResponseCache } from './response-cache.js';

export interface CachingParts {
  readonly cache: ResponseCache;
  readonly version: VersionIdentity;
  readonly statistics: CacheStat;
  readonly clock: Clock;
}

export function answerFromCache(parts: CachingParts): Layer {
  return (inner) => new CachedServable(inner, parts);
}

// ---- details below; callers need not read ----

/** What belongs to this one request, and what a healthy server would have answered otherwise, is not kept. */
function mayBeKept({ parameters, degradation }: InferenceResponse): boolean {
  return !parameters && !degradation;
}

class CachedServable implements Servable {
  readonly inner: Servable;
  readonly parts: CachingParts;
  readonly identity: string;

  constructor(inner: Servable, parts: CachingParts) {
    this.inner = inner;
    this.parts = parts;
    this.identity = identityOf(parts.version);
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    new CachedInference(this, call, { request, reply }).start();
  }
}

/** One request, from its lookup to the end of its answer. */
class CachedInference implements CacheLookup, Reply {
  readonly #owner: CachedServable;
  readonly #call: Call;
  readonly #request: InferenceRequest;
  readonly #reply: Reply;
  readonly #startedAt: number;
  #key = '';
  #lookupMs = 0;
  #response: InferenceResponse | undefined;
  #responses = 0;

  constructor(
    owner: CachedServable,
    call: Call,
    { request, reply }: { readonly request: InferenceRequest; readonly reply: Reply },
  ) {
    this.#owner = owner;
    this.#call = call;
    this.#request = request;
    this.#reply = reply;
    this.#startedAt = owner.parts.clock.now();
  }

  get deadline(): Deadline {
    return this.#call.deadline;
  }

  start(): void {
    const { identity, parts } = this.#owner;
    if (this.#isOver(this.#startedAt)) {
      this.#refuse();
      return;
    }
    this.#key = cacheKey(identity, this.#request);
    parts.cache.lookup(this.#key, this);
  }

  found(outputs: readonly Tensor[] | undefined): void {
    const { inner, parts } = this.#owner;
    const now = parts.clock.now();
    if (this.#isOver(now)) {
      this.#refuse();
    } else if (outputs) {
      this.#answer(outputs, now);
      this.#hit(now);
    } else {
      this.#lookupMs = now - this.#startedAt;
      parts.statistics.misses.add(this.#lookupMs);
      inner.infer(this.#request, this.#call, this);
    }
  }

  response(response: InferenceResponse): void {
    this.#response = response;
    this.#responses++;
    this.#reply.response(response);
  }

  /** The answer leaves first: keeping it makes nobody wait. What it takes counts for the miss, as in Triton. */
  end(error?: RuntimeError): void {
    this.#reply.end(error);
    const { clock, statistics } = this.#owner.parts;
    const from = clock.now();
    if (!error) this.#keep();
    const now = clock.now();
    statistics.misses.ms += now - from;
    statistics.digests?.misses.add((this.#lookupMs + now - from) * 1000, now);
  }

  #keep(): void {
    const response = this.#response;
    this.#response = undefined;
    if (!response || this.#responses > 1 || !mayBeKept(response)) return;
    this.#owner.parts.cache.insert(this.#key, response.outputs);
  }

  #hit(now: number): void {
    const { hits, digests } = this.#owner.parts.statistics;
    hits.add(now - this.#startedAt);
    digests?.hits.add((now - this.#startedAt) * 1000, now);
  }

  #isOver(now: number): boolean {
    return this.#call.cancelled || now >= this.#call.deadline;
  }

  /** The scheduler says in its own words that nobody waits any more. */
  #refuse(): void {
    this.#owner.inner.infer(this.#request, this.#call, this.#reply);
  }

  #answer(outputs: readonly Tensor[], now: number): void {
    const { modelName, modelVersion } = this.#owner.parts.version;
    const { timings } = this.#call;
    timings.cached = true;
    timings.queuedAt = timings.dispatchedAt = timings.completedAt = now;
    this.#reply.response({ modelName, modelVersion, outputs });
    this.#reply.end();
  }
}
