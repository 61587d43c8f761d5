// Every rule once with a pair that passes and once with one that fails: a comparison that cannot fail proves nothing.

import { describe, expect, it } from 'vitest';
import { compareGroup } from './compare-group.js';
import { compareOutcome } from './compare.js';
import type { Json, JsonObject } from './json.js';
import type { Outcome } from './outcome.js';
import type { Rules } from './rules.js';

const ok = (response: JsonObject): JsonObject => ({ grpc_code: 'OK', grpc_message: '', response });
const failed = (code: string, message: string): JsonObject => ({
  grpc_code: code,
  grpc_message: message,
});
const outcome = (answer: JsonObject, tookMs = 10): Outcome => ({ answer, tookMs, endedAt: 0 });

const floats = (...numbers: number[]): string =>
  Buffer.from(new Float32Array(numbers).buffer).toString('base64');
const doubles = (...numbers: number[]): string =>
  Buffer.from(new Float64Array(numbers).buffer).toString('base64');
const halves = (...bits: number[]): string =>
  Buffer.from(new Uint16Array(bits).buffer).toString('base64');
const tensor = (datatype: string, raw: string): JsonObject =>
  ok({ outputs: [{ name: 'Y', datatype }], raw_output_contents: [raw] });
const named = (...pairs: [name: string, raw: string][]): JsonObject => ({
  outputs: pairs.map(([name]) => ({ name, datatype: 'INT8' })),
  raw_output_contents: pairs.map(([, raw]) => raw),
});

const stat = (name: string, count: string, ns: string): JsonObject => ({
  name,
  success: { count, ns },
});

interface Pair {
  readonly rule: string;
  readonly rules: Rules;
  readonly recorded: JsonObject;
  readonly passes: readonly (JsonObject | Outcome)[];
  readonly fails: readonly (JsonObject | Outcome)[];
}

const PAIRS: readonly Pair[] = [
  {
    rule: 'no rule at all',
    rules: {},
    recorded: ok({ id: 'a', shape: ['1', '2'], fail: {} }),
    passes: [ok({ shape: ['1', '2'], fail: {}, id: 'a' })],
    fails: [
      ok({ id: 'b', shape: ['1', '2'], fail: {} }),
      ok({ id: 'a', shape: ['2', '1'], fail: {} }),
      ok({ id: 'a', shape: ['1', '2', '3'], fail: {} }),
      ok({ id: 'a', shape: ['1'], fail: {} }),
      ok({ id: 'a', shape: ['1', '2'] }),
      ok({ id: 'a', shape: ['1', '2'], fail: {}, more: null }),
      ok({ id: 'a', shape: [1, 2], fail: {} }),
      { ...ok({ id: 'a', shape: ['1', '2'], fail: {} }), grpc_message: 'fine' },
      failed('INTERNAL', ''),
      {},
    ],
  },
  {
    rule: 'the code and the message of an error',
    rules: {},
    recorded: failed('NOT_FOUND', 'no such model'),
    passes: [failed('NOT_FOUND', 'no such model')],
    fails: [failed('NOT_FOUND', 'no such model.'), failed('INTERNAL', 'no such model'), ok({})],
  },
  {
    rule: 'ignore',
    rules: { ignore: ['**.ns', 'response.list[*].x', 'response.name'] },
    recorded: ok({ name: 'triton', a: { ns: '1', count: '2' }, list: [{ x: 1, y: 2 }] }),
    passes: [
      ok({ name: 'inferd', a: { ns: '9', count: '2' }, list: [{ x: 7, y: 2 }] }),
      ok({ a: { count: '2' }, list: [{ y: 2 }] }),
    ],
    fails: [
      ok({ name: 'triton', a: { ns: '1', count: '3' }, list: [{ x: 1, y: 2 }] }),
      ok({ name: 'triton', a: { ns: '1', count: '2' }, list: [{ x: 1, y: 3 }] }),
      ok({ name: 'triton', a: { ns: '1', count: '2' }, list: [{ y: 2 }, { y: 2 }] }),
    ],
  },
  {
    rule: 'set, after what is ignored',
    rules: { set: ['response.stats'], ignore: ['**.ns'] },
    recorded: ok({ stats: [stat('a', '1', '5'), stat('b', '1', '4')], other: [1, 2] }),
    passes: [ok({ stats: [stat('b', '1', '1'), stat('a', '1', '9')], other: [1, 2] })],
    fails: [
      ok({ stats: [stat('b', '1', '4'), stat('b', '1', '5')], other: [1, 2] }),
      ok({ stats: [stat('a', '1', '5')], other: [1, 2] }),
      ok({ stats: [stat('a', '1', '5'), stat('b', '1', '4')], other: [2, 1] }),
    ],
  },
  {
    rule: 'regex',
    rules: { regex: { 'response.models[*].reason': '(?i)onnx|stat.file' } },
    recorded: ok({ models: [{ name: 'a', reason: 'Load by ONNX failed' }] }),
    passes: [
      ok({ models: [{ name: 'a', reason: 'onnx: no' }] }),
      ok({ models: [{ name: 'a', reason: 'stat\nfile' }] }),
    ],
    fails: [
      ok({ models: [{ name: 'a', reason: 'broken' }] }),
      ok({ models: [{ name: 'b', reason: 'onnx' }] }),
      ok({ models: [{ name: 'a' }] }),
    ],
  },
  {
    rule: 'contains',
    rules: { contains: { 'response.extensions': ['statistics', 'parameters'] } },
    recorded: ok({ extensions: ['statistics', 'logging', 'parameters'] }),
    passes: [ok({ extensions: ['parameters', 'own', 'statistics'] })],
    fails: [
      ok({ extensions: ['statistics', 'logging'] }),
      ok({}),
      ok({ extensions: 'statistics parameters' }),
    ],
  },
  {
    rule: 'ranges',
    rules: { ranges: { 'response.stats[0].count': [1, 2], 'response.open': [3, null] } },
    recorded: ok({ stats: [{ count: '2', name: 'a' }], open: 3 }),
    passes: [ok({ stats: [{ count: '1', name: 'a' }], open: 1e9 })],
    fails: [
      ok({ stats: [{ count: '3', name: 'a' }], open: 3 }),
      ok({ stats: [{ name: 'a' }], open: 3 }),
      ok({ stats: [{ count: 'many', name: 'a' }], open: 3 }),
      ok({ stats: [{ count: '2', name: 'a' }], open: 2 }),
      ok({ stats: [{ count: '2', name: 'b' }], open: 3 }),
    ],
  },
  {
    rule: 'float_tol of FP32',
    rules: { float_tol: { rtol: 1e-5, atol: 1e-6 } },
    recorded: tensor('FP32', floats(100, 0, NaN, Infinity)),
    passes: [tensor('FP32', floats(100.0005, 5e-7, NaN, Infinity))],
    fails: [
      tensor('FP32', floats(100.01, 0, NaN, Infinity)),
      tensor('FP32', floats(100, 1e-5, NaN, Infinity)),
      tensor('FP32', floats(100, 0, 1, Infinity)),
      tensor('FP32', floats(100, 0, NaN, -Infinity)),
      tensor('FP32', floats(100, 0, NaN, 3e38)),
      tensor('FP32', floats(100, 0, NaN)),
      tensor('FP64', floats(100, 0, NaN, Infinity)),
    ],
  },
  {
    rule: 'float_tol of FP64',
    rules: { float_tol: {} },
    recorded: tensor('FP64', doubles(-2)),
    passes: [tensor('FP64', doubles(-2.00001))],
    fails: [tensor('FP64', doubles(-2.0001)), tensor('FP64', doubles(2))],
  },
  {
    rule: 'float_tol of FP16, subnormal numbers included',
    rules: { float_tol: { rtol: 0, atol: 0.002 } },
    recorded: tensor('FP16', halves(0x3c00, 0xbc00, 0x0001)),
    passes: [tensor('FP16', halves(0x3c01, 0xbc01, 0x8001))],
    fails: [
      tensor('FP16', halves(0x3c04, 0xbc00, 0x0001)),
      tensor('FP16', halves(0xbc00, 0x3c00, 0x0001)),
    ],
  },
  {
    rule: 'float_tol of anything else',
    rules: { float_tol: { rtol: 1, atol: 1e9 } },
    recorded: tensor('INT32', floats(1)),
    passes: [tensor('INT32', floats(1))],
    fails: [tensor('INT32', floats(1.0000001)), tensor('FP32', floats(1))],
  },
  {
    rule: 'float_tol in a stream',
    rules: { float_tol: {} },
    recorded: { responses: [{ infer_response: tensor('FP32', floats(1))['response']! }] },
    passes: [{ responses: [{ infer_response: tensor('FP32', floats(1.000001))['response']! }] }],
    fails: [
      { responses: [{ infer_response: tensor('FP32', floats(1.1))['response']! }] },
      { responses: [{ error_message: 'no' }] },
      { responses: [] },
    ],
  },
  {
    rule: 'codes',
    rules: { codes: ['OK', 'UNAVAILABLE'], message: 'code_only', response: 'ignore' },
    recorded: ok({ id: 'a' }),
    passes: [ok({ id: 'b' }), failed('UNAVAILABLE', 'busy')],
    fails: [failed('INTERNAL', 'busy'), {}],
  },
  {
    rule: 'message regex',
    rules: { message: 'regex', message_regex: '^load failed for .*: version [0-9]+' },
    recorded: failed('INTERNAL', "load failed for 'm': version 1"),
    passes: [failed('INTERNAL', 'load failed for \nit: version 20')],
    fails: [failed('INTERNAL', 'it failed'), failed('NOT_FOUND', "load failed for 'm': version 1")],
  },
  {
    rule: 'message code_only',
    rules: { message: 'code_only' },
    recorded: failed('INTERNAL', 'one text'),
    passes: [failed('INTERNAL', 'another')],
    fails: [failed('UNKNOWN', 'one text'), { ...failed('INTERNAL', 'one text'), response: {} }],
  },
  {
    rule: 'response ignore',
    rules: { response: 'ignore' },
    recorded: ok({ id: 'a' }),
    passes: [ok({ id: 'b' }), failed('OK', '')],
    fails: [failed('INTERNAL', ''), failed('OK', 'not empty')],
  },
  {
    rule: 'ms',
    rules: { ms: [100, 200] },
    recorded: ok({}),
    passes: [outcome(ok({}), 100), outcome(ok({}), 200)],
    fails: [outcome(ok({}), 99), outcome(ok({}), 201), { answer: ok({}), endedAt: 0 }],
  },
  {
    rule: 'outputs in any order, each with its contents',
    rules: {},
    recorded: ok(named(['A', 'x'], ['B', 'y'])),
    passes: [ok(named(['B', 'y'], ['A', 'x']))],
    fails: [
      ok(named(['B', 'x'], ['A', 'y'])),
      ok(named(['A', 'x'])),
      ok(named(['A', 'x'], ['A', 'y'])),
    ],
  },
  {
    rule: 'outputs_any_order false',
    rules: { outputs_any_order: false },
    recorded: ok(named(['A', 'x'], ['B', 'y'])),
    passes: [ok(named(['A', 'x'], ['B', 'y']))],
    fails: [ok(named(['B', 'y'], ['A', 'x']))],
  },
];

const came = (value: JsonObject | Outcome): Outcome =>
  'endedAt' in value ? (value as Outcome) : outcome(value);

describe('compareOutcome', () => {
  for (const { rule, rules, recorded, passes, fails } of PAIRS) {
    it(`accepts what may differ under ${rule}`, () => {
      for (const one of passes) expect(compareOutcome(recorded, came(one), rules)).toEqual([]);
    });

    it(`refuses what may not differ under ${rule}`, () => {
      for (const one of fails) expect(compareOutcome(recorded, came(one), rules)).not.toEqual([]);
    });
  }

  it('takes no notice of what is decoded for readers of the transcript', () => {
    const recorded: JsonObject = { ...ok({}), decoded: { Y: [1] } };

    expect(compareOutcome(recorded, outcome(ok({})), {})).toEqual([]);
  });

  it('refuses a step that could not be carried out, whatever the rules', () => {
    const rules: Rules = { response: 'ignore', message: 'code_only', codes: ['OK'] };

    expect(compareOutcome(ok({}), { broken: 'no such file' }, rules)).toEqual(['no such file']);
  });

  it('leaves both sides as they were', () => {
    const recorded = ok({ list: ['b', 'a'], name: 'x' });
    const answer = ok({ list: ['a', 'b'], name: 'y' });
    const before: Json = structuredClone([recorded, answer]);

    compareOutcome(recorded, outcome(answer), {
      set: ['response.list'],
      ignore: ['response.name'],
    });

    expect([recorded, answer]).toEqual(before);
  });

  it('names the places that differ, and not more than a screen of them', () => {
    const list = Array.from({ length: 40 }, (_, i) => i);
    const [first, ...others] = compareOutcome(
      ok({ list }),
      outcome(ok({ list: list.map((i) => i + 1) })),
      {},
    );

    expect(first).toBe('response.list[0]: expected 0, came 1');
    expect(others).toHaveLength(12);
    expect(others.at(-1)).toBe('... and 28 more');
  });
});

describe('compareGroup', () => {
  const step = (expected: JsonObject, compare: Rules) => ({ expect: expected, compare });
  const full = failed('UNAVAILABLE', 'full');

  it('gives each step the complaints about its own outcome', () => {
    const steps = [step(ok({}), {}), step(full, {})];

    expect(compareGroup(steps, [outcome(ok({})), outcome(full)])).toEqual([[], []]);
    const [first, second] = compareGroup(steps, [outcome(full), outcome(full)]);
    expect([first!.length > 0, second]).toEqual([true, []]);
  });

  it('counts the ends when the order is free', () => {
    const rules: Rules = { any_order: true };
    const steps = [step(ok({ id: 'a' }), rules), step(full, rules), step(full, rules)];
    const [served, refused] = [outcome(ok({ id: 'b' })), outcome(full)];

    const isFine = (...outcomes: Outcome[]): boolean =>
      compareGroup(steps, outcomes).every((lines) => lines.length === 0);

    expect(isFine(outcome(full), served, refused)).toBe(true);
    expect(isFine(served, outcome(ok({})), refused)).toBe(false);
    expect(isFine(refused, outcome(full), outcome(full))).toBe(false);
  });

  it('lets a step that takes any of several codes choose last', () => {
    const either = step(full, {
      any_order: true,
      codes: ['OK', 'UNAVAILABLE'],
      message: 'code_only',
      response: 'ignore',
    });
    const steps = [either, step(ok({}), { any_order: true })];

    expect(compareGroup(steps, [outcome(ok({})), outcome(full)])).toEqual([[], []]);
    expect(compareGroup(steps, [outcome(full), outcome(full)])[1]).not.toEqual([]);
  });

  it('refuses a step that ends after one it should end before', () => {
    const steps = [step(ok({}), {}), step(ok({}), { ends_before: 0 })];
    const endedAt = (time: number): Outcome => ({ answer: ok({}), endedAt: time });

    expect(compareGroup(steps, [endedAt(2), endedAt(1)])).toEqual([[], []]);
    expect(compareGroup(steps, [endedAt(1), endedAt(2)])[1]).toEqual([
      'expected to end before number 1 of its group',
    ]);
    expect(compareGroup(steps, [endedAt(1), endedAt(1)])[1]).not.toEqual([]);
  });
});
