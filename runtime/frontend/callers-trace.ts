// The trace that a caller says his request belongs to, as it goes on to other servers where this one has no span of its own to put in
// between. https://www.w3.org/TR/trace-context/

import type { Headers } from '../core/call.js';
import type { GrpcCall } from './grpc-transport.js';

/** Unchanged, the sampled flag included. Undefined: he says nothing, or nothing that may be handed on. */
export function callersTrace(call: Pick<GrpcCall, 'metadata'>): Headers | undefined {
  const traceparent = call.metadata('traceparent');
  if (traceparent === undefined || !TRACEPARENT.test(traceparent)) return undefined;
  const tracestate = call.metadata('tracestate');
  const parent = ['traceparent', traceparent] as const;
  if (tracestate === undefined || !TRACESTATE.test(tracestate)) return [parent];
  return [parent, ['tracestate', tracestate]];
}

// ---- details below; callers need not read ----

/** Later versions may have more behind the flags. */
const TRACEPARENT =
  /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-[!-~]*)?$/;

/** What a header can carry, and as much of it as everybody has to hand on. */
const TRACESTATE = /^[ -~]{1,512}$/;
