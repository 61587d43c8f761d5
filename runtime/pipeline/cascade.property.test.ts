// Random batches, rules, sizes, failures, timeouts and orders of answers: whatever happens, a request is answered once, and what is answered
// is what plain code makes of the same events.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aTensor, valuesOf, type RecordedReply } from '../testing/build.js';
import { CascadeBench } from '../testing/cascade-bench.js';

const STAGES = 4;

const stage = fc.record({
  continues: fc.boolean(),
  /** Rows above it leave. */
  above: fc.integer({ min: 0, max: 12 }),
  below: fc.integer({ min: -1, max: 4 }),
  maxRows: fc.integer({ min: 1, max: 7 }),
  /** What becomes of each part, in the order in which parts were sent. */
  parts: fc.array(fc.constantFrom('answer', 'answer', 'answer', 'fail', 'time out'), {
    minLength: 10,
    maxLength: 10,
  }),
  /** Which of the waiting parts is dealt with next. */
  order: fc.array(fc.nat(9), { minLength: 10, maxLength: 10 }),
});

const scenario = fc.record({
  stages: fc.array(stage, { minLength: 1, maxLength: STAGES }),
  rows: fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 10 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** What stage `index` makes of a row. */
function scoreOf(index: number, value: number): number {
  return (value * (index + 3) + index * 5) % 11;
}

function benchOf({ stages }: Scenario): CascadeBench {
  const texts = stages.map(
    ({ continues, above, below }, index) => `stage { model_name: "m${index}"
      input_map { key: "in" value: "x" } output_map { key: "out" value: "score" }
      exit_when { tensor: "score" above: ${above} decision: "high ${index}" }
      exit_when { tensor: "score" below: ${below} decision: "low ${index}" }
      timeout_microseconds: 5000 ${continues ? 'on_error: CONTINUE' : ''} }`,
  );
  const text = `name: "whole" platform: "cascade" max_batch_size: 16
    input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
    output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "CASCADE_STAGE" data_type: TYPE_INT32 dims: [ 1 ] },
      { name: "CASCADE_DECISION" data_type: TYPE_STRING dims: [ 1 ] } ]
    cascade_scheduling { ${texts.join(' ')} }`;
  return new CascadeBench(
    text,
    stages.map(({ maxRows }, index) => ({
      name: `m${index}`,
      maxBatchSize: maxRows,
      answer: ({ inputs: [input] }) => {
        const values = valuesOf(input!).map((value) => scoreOf(index, value));
        return { outputs: [aTensor('out', [values.length, 1], values)] };
      },
    })),
  );
}

interface RowResult {
  score: number;
  stage: number;
  decision: string;
}

interface Expected {
  /** Undefined: the request fails. */
  readonly rows: RowResult[] | undefined;
  /** By stage, the rows of each part that was sent. */
  readonly parts: number[][][];
}

/** Plain code, one stage after the other. */
function plainly({ stages, rows }: Scenario): Expected {
  const results = rows.map((): RowResult => ({ score: NaN, stage: -1, decision: '' }));
  const parts: number[][][] = [];
  let left = rows.map((_, row) => row);
  for (const [index, { continues, maxRows, above, below, parts: fates }] of stages.entries()) {
    if (left.length === 0) break;
    const chunks: number[][] = [];
    for (let from = 0; from < left.length; from += maxRows)
      chunks.push(left.slice(from, from + maxRows));
    parts.push(chunks.map((chunk) => chunk.map((row) => rows[row]!)));
    const failed = (part: number): boolean => fates[part] !== 'answer';
    const mayFail = continues && index < stages.length - 1;
    if (!mayFail && chunks.some((_, part) => failed(part))) return { rows: undefined, parts };
    left = chunks.flatMap((chunk, part) => {
      if (failed(part)) return chunk;
      return chunk.filter((row) => {
        const score = scoreOf(index, rows[row]!);
        const decision = score > above ? `high ${index}` : score < below ? `low ${index}` : '';
        results[row] = { score, stage: index, decision };
        return decision === '';
      });
    });
  }
  return { rows: results, parts };
}

function run(bench: CascadeBench, { stages, rows }: Scenario): RecordedReply {
  const { reply } = bench.ask({ inputs: [aTensor('x', [rows.length, 1], rows)] });
  for (const [index, { parts, order }] of stages.entries()) {
    const model = bench.model(`m${index}`);
    let waiting = model.asked.map((_, part) => part);
    const late = waiting.filter((part) => parts[part] === 'time out');
    for (const next of order) {
      const inTime = waiting.filter((part) => !late.includes(part));
      if (inTime.length === 0 || reply.outcome !== 'pending') break;
      const part = inTime[next % inTime.length]!;
      const place = waiting.indexOf(part);
      waiting = waiting.filter((it) => it !== part);
      if (parts[part] === 'answer') model.release(place);
      else model.fail('BACKEND_FAILED', { place });
    }
    if (late.length > 0) bench.clock.advance(6);
  }
  return reply;
}

function answered({ responses: [response] }: RecordedReply): RowResult[] {
  const [score, stageOf, decision] = response!.outputs;
  const stages = new Int32Array(stageOf!.data.slice().buffer);
  const bytes = Buffer.from(decision!.data);
  let at = 0;
  return valuesOf(score!).map((value, row) => {
    const length = bytes.readUInt32LE(at);
    const text = bytes.toString('utf8', at + 4, at + 4 + length);
    at += 4 + length;
    return { score: value, stage: stages[row]!, decision: text };
  });
}

describe('Cascade', () => {
  it('answers what plain code does, once, whatever fails and in whichever order answers come', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const bench = benchOf(given);
        const expected = plainly(given);

        const reply = run(bench, given);

        expect(reply.ends).toHaveLength(1);
        const asked = given.stages
          .map((_, index) =>
            bench.model(`m${index}`).asked.map(({ inputs }) => valuesOf(inputs[0]!)),
          )
          .filter((parts) => parts.length > 0);
        expect(asked).toEqual(expected.parts);
        if (expected.rows) expect(answered(reply)).toEqual(expected.rows);
        else expect(reply.outcome).not.toBe('ok');
        expect(reply.responses).toHaveLength(expected.rows ? 1 : 0);
        for (const [index] of given.stages.entries())
          expect(bench.model(`m${index}`).waiting).toBe(0);
        expect(bench.wheel.size).toBe(0);
        expect(bench.catalog.released).toBe(bench.catalog.acquired.length);
        const exits = bench.cascade.stages.flatMap((it) => it.exits.map(({ value }) => value));
        const left = expected.rows?.filter(({ decision }) => decision !== '').length;
        if (left !== undefined) expect(exits.reduce((sum, value) => sum + value, 0)).toBe(left);
      }),
      { numRuns: 500 },
    );
  });
});
