import {
  ROOT_CONTEXT,
  TraceFlags,
  baggageEntryMetadataFromString,
  propagation,
  trace,
  type Context,
} from '@opentelemetry/api';
import { core } from '@opentelemetry/sdk-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { SettledTrace, SpanIds } from './settled-trace.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

/** With the span of a caller. */
function called(traceFlags: TraceFlags): Context {
  const traceState = new core.TraceState('vendor=1');
  const span = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags, traceState, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, span);
}

function settled(parent: Context, isSampled: boolean): SettledTrace {
  return new SettledTrace({ parent, traceId: TRACE_ID, isSampled, ids: new SpanIds() });
}

describe('SettledTrace', () => {
  beforeAll(() => void propagation.setGlobalPropagator(new core.W3CTraceContextPropagator()));
  afterAll(() => propagation.disable());

  it.each([
    ['a caller', called(TraceFlags.SAMPLED), [['tracestate', 'vendor=1']]],
    ['none', ROOT_CONTEXT, []],
  ])('tells other servers of the spans that will be made, with %s', (_what, parent, state) => {
    const trace = settled(parent, true);
    const call = new Call(0);
    const leg = call.child(0);

    const [ofCall, ofLeg] = [call, leg].map((each) => trace.headersFor(each));

    const [id, legId] = [call, leg].map(({ timings }) => trace.spanIdOf(timings));
    expect(ofCall).toEqual([['traceparent', `00-${TRACE_ID}-${id}-01`], ...state]);
    expect(ofLeg).toEqual([['traceparent', `00-${TRACE_ID}-${legId}-01`], ...state]);
    expect(new Set([id, legId, SPAN_ID, undefined]).size).toBe(4);
    expect(trace.headersFor(call)).toEqual(ofCall);
    expect(trace.spanIdOf(new Call(0).timings)).toBeUndefined();
  });

  it('hands on what a caller said where nothing is traced here', () => {
    expect(settled(called(TraceFlags.NONE), false).headersFor(new Call(0))).toEqual([
      ['traceparent', `00-${TRACE_ID}-${SPAN_ID}-00`],
      ['tracestate', 'vendor=1'],
    ]);
  });

  it('tells nothing that a header cannot carry', () => {
    const entries = { user: { value: 'ann', metadata: baggageEntryMetadataFromString('name=é') } };
    const both = [new core.W3CTraceContextPropagator(), new core.W3CBaggagePropagator()];
    propagation.disable();
    propagation.setGlobalPropagator(new core.CompositePropagator({ propagators: both }));
    const parent = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries));

    const headers = settled(parent, true).headersFor(new Call(0))!;

    expect(headers.map(([name]) => name)).toEqual(['traceparent']);
  });

  it('says that nothing is traced where no caller said so', () => {
    expect(settled(ROOT_CONTEXT, false).headersFor(new Call(0))).toEqual([
      ['traceparent', expect.stringMatching(`^00-${TRACE_ID}-[\\da-f]{16}-00$`)],
    ]);
  });
});

describe('SpanIds', () => {
  it('are given until they are taken back, and random otherwise', () => {
    const ids = new SpanIds();

    ids.give(TRACE_ID, SPAN_ID);
    expect([ids.generateTraceId(), ids.generateSpanId()]).toEqual([TRACE_ID, SPAN_ID]);
    ids.give(TRACE_ID, undefined);
    expect(ids.generateSpanId()).not.toBe(SPAN_ID);
    ids.takeBack();

    expect(ids.generateTraceId()).toMatch(/^[\da-f]{32}$/);
    expect(ids.generateTraceId()).not.toBe(TRACE_ID);
    expect(ids.generateSpanId()).toMatch(/^[\da-f]{16}$/);
  });
});
