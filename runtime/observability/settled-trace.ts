// Whether and as what a request is traced, settled once: when something is first sent to another server for it, or when it has ended. The
// ids of spans that other servers are told of are settled with it; the spans themselves are made at the end, like all others, with them.

import {
  TraceFlags,
  propagation,
  trace,
  type Context,
  type TextMapSetter,
} from '@opentelemetry/api';
import { tracing } from '@opentelemetry/sdk-node';
import type { Call, Headers, Timings } from '../core/call.js';
import type { RequestTrace } from '../core/request-observer.js';

/** Random ones, also of spans that others make in this process, unless they are given. */
export class SpanIds implements tracing.IdGenerator {
  readonly #random = new tracing.RandomIdGenerator();
  #traceId: string | undefined;
  #spanId: string | undefined;

  /** For the span that is made next, by whoever makes it; so it is to be taken back. */
  give(traceId: string, spanId: string | undefined): void {
    this.#traceId = traceId;
    this.#spanId = spanId;
  }

  takeBack(): void {
    this.#traceId = this.#spanId = undefined;
  }

  generateTraceId(): string {
    return this.#traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#spanId ?? this.#random.generateSpanId();
  }

  newTraceId(): string {
    return this.#random.generateTraceId();
  }

  newSpanId(): string {
    return this.#random.generateSpanId();
  }
}

export interface SettledTraceParts {
  /** With the span of the caller, if he has told one. */
  readonly parent: Context;
  readonly traceId: string;
  readonly isSampled: boolean;
  readonly ids: SpanIds;
}

export class SettledTrace implements RequestTrace {
  readonly parent: Context;
  readonly traceId: string;
  readonly isSampled: boolean;
  readonly #ids: SpanIds;
  /** Of the request and its legs, by the timings of their calls; of legs that nobody remembers, nothing is kept. */
  readonly #spanIds = new WeakMap<Timings, string>();

  constructor({ parent, traceId, isSampled, ids }: SettledTraceParts) {
    this.parent = parent;
    this.traceId = traceId;
    this.isSampled = isSampled;
    this.#ids = ids;
  }

  /** Undefined: nobody has been told of that span. */
  spanIdOf(timings: Timings): string | undefined {
    return this.#spanIds.get(timings);
  }

  headersFor(call: Call): Headers | undefined {
    const headers: [string, string][] = [];
    propagation.inject(this.#contextOf(call), headers, SETTER);
    return headers.length > 0 ? headers : undefined;
  }

  // ---- details below; callers need not read ----

  /** Without a span here, that of the caller; and if he has told none, one that says that nobody traces. */
  #contextOf({ timings }: Call): Context {
    const caller = trace.getSpanContext(this.parent);
    if (!this.isSampled && caller) return this.parent;
    let spanId = this.#spanIds.get(timings);
    if (spanId === undefined) this.#spanIds.set(timings, (spanId = this.#ids.newSpanId()));
    return trace.setSpanContext(this.parent, {
      traceId: this.traceId,
      spanId,
      traceFlags: this.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
      ...(caller?.traceState && { traceState: caller.traceState }),
    });
  }
}

const SETTER: TextMapSetter<[string, string][]> = {
  set: (headers, name, value) => {
    if (CARRIED.test(value)) headers.push([name.toLowerCase(), value]);
  },
};

/** What a header of gRPC can carry; propagators do not look. */
const CARRIED = /^[ -~]*$/;
