import { describe, expect, it } from 'vitest';
import type { InferenceRequest } from '../core/inference.js';
import { aTensor, rawTensor, valuesOf } from '../testing/build.js';
import { CascadeBench } from '../testing/cascade-bench.js';
import type { Answer } from '../testing/puppet-servable.js';

interface StageText {
  readonly continues?: boolean;
  readonly timeoutMs?: number;
}

/** Models a, b, c …; score = x + 10 × the place of the model, rows above 90 leave. */
function cascadeOf(stages: readonly StageText[], maxBatchSize = 64): CascadeBench {
  const names = stages.map((_, index) => String.fromCharCode(97 + index));
  const texts = stages.map(
    ({ continues = false, timeoutMs = 0 }, index) => `stage { model_name: "${names[index]!}"
      input_map { key: "in" value: "x" } output_map { key: "out" value: "score" }
      exit_when { tensor: "score" above: 90 } on_error: ${continues ? 'CONTINUE' : 'FAIL'}
      timeout_microseconds: ${timeoutMs * 1000} }`,
  );
  const text = `name: "whole" platform: "cascade" max_batch_size: 16
    input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
    output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] }, { name: "CASCADE_STAGE" data_type: TYPE_INT32 dims: [ 1 ] } ]
    cascade_scheduling { ${texts.join(' ')} }`;
  const answer =
    (place: number): Answer =>
    ({ inputs: [input] }) => {
      const values = valuesOf(input!).map((value) => value + 10 * place);
      return { outputs: [aTensor('out', [values.length, 1], values)] };
    };
  return new CascadeBench(
    text,
    names.map((name, place) => ({ name, answer: answer(place), maxBatchSize })),
  );
}

function rowsOf(...values: number[]): Pick<InferenceRequest, 'inputs'> {
  return { inputs: [aTensor('x', [values.length, 1], values)] };
}

const CONTINUE = { continues: true };
const FAIL = {};

type Asked = ReturnType<CascadeBench['ask']>;

function answered({ reply }: Asked): { scores: number[]; stages: number[] } {
  const [score, stage] = reply.responses[0]!.outputs;
  return {
    scores: valuesOf(score!),
    stages: [...new Int32Array(stage!.data.slice().buffer)],
  };
}

describe('Cascade when stages fail', () => {
  it('fails with the stage’s error, which it names', () => {
    const bench = cascadeOf([FAIL, FAIL]);

    const { reply } = bench.ask(rowsOf(1));
    bench.model('a').fail('QUEUE_FULL', { message: 'full' });

    expect(reply.ends[0]).toMatchObject({
      code: 'QUEUE_FULL',
      message: "in cascade 'whole', stage 0 (a): full",
    });
    expect(bench.model('b').asked).toHaveLength(0);
  });

  it('passes the rows of a stage under CONTINUE on', () => {
    const bench = cascadeOf([CONTINUE, FAIL]);

    const asked = bench.ask(rowsOf(1, 95));
    bench.model('a').fail();
    bench.model('b').release();

    expect(answered(asked)).toEqual({ scores: [11, 105], stages: [1, 1] });
  });

  it('keeps what an earlier stage wrote when a stage in the middle fails', () => {
    const bench = cascadeOf([FAIL, CONTINUE, FAIL]);

    const asked = bench.ask(rowsOf(1, 95));
    bench.model('a').release();
    bench.model('b').fail();
    bench.model('c').release();

    expect(answered(asked)).toEqual({ scores: [21, 95], stages: [2, 0] });
  });

  it('fails when the last stage does, CONTINUE or not, and lists what failed before', () => {
    const bench = cascadeOf([CONTINUE, CONTINUE]);

    const { reply } = bench.ask(rowsOf(1));
    bench.model('a').fail('BACKEND_FAILED', { message: 'first' });
    bench.model('b').fail('BACKEND_LOST', { message: 'second' });

    expect(reply.ends).toHaveLength(1);
    expect(reply.ends[0]!.code).toBe('BACKEND_LOST');
    const { errors } = reply.ends[0]!.cause as AggregateError;
    expect(errors.map(({ message }: Error) => message)).toEqual([
      "in cascade 'whole', stage 0 (a): first",
      "in cascade 'whole', stage 1 (b): second",
    ]);
  });

  it.each<[string, Answer]>([
    ['does not answer an output', () => ({ outputs: [] })],
    ['answers too few rows', () => ({ outputs: [aTensor('out', [1, 1], [1])] })],
    [
      'answers bytes that are not those of the shape',
      () => ({ outputs: [rawTensor('out', 'FP32', { shape: [2, 1], data: new Uint8Array(7) })] }),
    ],
  ])('takes a stage for failed that %s', (_name, answer) => {
    const text = (name: string): string =>
      `stage { model_name: "${name}" input_map { key: "in" value: "x" } output_map { key: "out" value: "score" } on_error: CONTINUE }`;
    const bench = new CascadeBench(
      `name: "whole" platform: "cascade" max_batch_size: 4
       input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ] output [ { name: "score" data_type: TYPE_FP32 dims: [ 1 ] } ]
       cascade_scheduling { ${text('a')} ${text('b')} }`,
      ['a', 'b'].map((name) => ({ name, answer })),
    );

    const { reply } = bench.ask(rowsOf(1, 2));
    bench.model('a').release();
    bench.model('b').release();

    expect(reply.outcome).toBe('BACKEND_FAILED');
  });

  it('fails when a stage’s model is not there', () => {
    const bench = cascadeOf([FAIL]);
    bench.catalog.withdraw('a');

    expect(bench.ask(rowsOf(1)).reply.outcome).toBe('NOT_FOUND');
  });
});

describe('Cascade with more rows than a stage takes', () => {
  it('sends them in parts, all at once', () => {
    const bench = cascadeOf([FAIL, FAIL], 2);

    const asked = bench.ask(rowsOf(1, 95, 2, 3, 4));
    expect(bench.model('a').waiting).toBe(3);
    for (const place of [2, 0, 0]) bench.model('a').release(place);
    bench.model('b').release(1);
    bench.model('b').release();

    const parts = (name: string): number[][] =>
      bench.model(name).asked.map(({ inputs }) => valuesOf(inputs[0]!));
    expect(parts('a')).toEqual([[1, 95], [2, 3], [4]]);
    expect(parts('b')).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(answered(asked)).toEqual({ scores: [11, 95, 12, 13, 14], stages: [1, 0, 1, 1, 1] });
  });

  it('gives the other parts up when one fails', () => {
    const bench = cascadeOf([FAIL, FAIL], 2);

    const { reply } = bench.ask(rowsOf(1, 2, 3));
    bench.model('a').fail();

    expect(reply.ends).toHaveLength(1);
    expect(bench.model('a').waiting).toBe(0);
    expect(bench.cascade.node.children[0]!.figures).toMatchObject({ failed: 1, abandoned: 1 });
  });

  it('passes on only the rows of the part that failed, under CONTINUE', () => {
    const bench = cascadeOf([CONTINUE, FAIL], 2);

    const asked = bench.ask(rowsOf(95, 96, 97, 98));
    bench.model('a').fail('BACKEND_FAILED', { place: 1 });
    bench.model('a').release();
    bench.model('b').release();

    expect(answered(asked)).toEqual({ scores: [95, 96, 107, 108], stages: [0, 0, 1, 1] });
  });
});

describe('Cascade and time', () => {
  it('fails when a stage has had its time', () => {
    const bench = cascadeOf([{ timeoutMs: 5 }, FAIL]);

    const { reply } = bench.ask(rowsOf(1));
    bench.clock.advance(6);

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    expect(bench.model('a').waiting).toBe(0);
  });

  it('goes on without a stage that has had its time, under CONTINUE', () => {
    const bench = cascadeOf([{ timeoutMs: 5, continues: true }, FAIL]);

    const asked = bench.ask(rowsOf(1));
    bench.clock.advance(6);
    bench.model('b').release();

    expect(answered(asked)).toEqual({ scores: [11], stages: [1] });
  });

  it('hands the caller’s deadline on', () => {
    const bench = cascadeOf([FAIL, { timeoutMs: 900 }]);
    const deadline = bench.clock.now() + 500;

    bench.ask(rowsOf(1), deadline);
    bench.model('a').release();

    expect(bench.model('a').calls[0]!.deadline).toBe(deadline);
    expect(bench.model('b').calls[0]!.deadline).toBe(deadline);
  });

  /** The last model has taken 50 ms so far. */
  function slowLast(stages: readonly StageText[]): CascadeBench {
    const bench = cascadeOf(stages);
    bench.ask(rowsOf(1));
    bench.model('a').release();
    bench.clock.advance(50);
    bench.model('b').release();
    return bench;
  }

  it('does not start a stage that cannot be done in time', () => {
    const bench = slowLast([FAIL, FAIL]);

    const { reply } = bench.ask(rowsOf(1), bench.clock.now() + 40);
    bench.model('a').release();

    expect(reply.ends[0]!.code).toBe('DEADLINE_EXCEEDED');
    expect(reply.ends[0]!.message).toMatch(
      /^in cascade 'whole', stage 1 \(b\) was not started: 40.0 ms are left and it takes \d+.\d ms$/,
    );
    expect(bench.model('b').asked).toHaveLength(1);
  });

  it('answers what there is when the last stage, under CONTINUE, cannot be done in time', () => {
    const bench = slowLast([FAIL, CONTINUE]);

    const asked = bench.ask(rowsOf(1, 95), bench.clock.now() + 40);
    bench.model('a').release();

    expect(answered(asked)).toEqual({ scores: [1, 95], stages: [0, 0] });
    expect(bench.model('b').asked).toHaveLength(1);
  });

  it('fails when there is nothing for a row that could be answered', () => {
    const bench = slowLast([CONTINUE, CONTINUE]);

    const { reply } = bench.ask(rowsOf(1), bench.clock.now() + 40);
    bench.model('a').fail();

    expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
  });

  it('starts a stage for which there is enough time', () => {
    const bench = slowLast([FAIL, FAIL]);

    const { reply } = bench.ask(rowsOf(1), bench.clock.now() + 60);
    bench.model('a').release();
    bench.model('b').release();

    expect(reply.outcome).toBe('ok');
  });

  it('gives all legs up when its caller has gone, and starts no further stage', () => {
    const bench = cascadeOf([CONTINUE, FAIL], 1);

    const { call, reply } = bench.ask(rowsOf(1, 2));
    call.cancel();

    expect(reply.ends.map((error) => error?.code)).toEqual(['CANCELLED']);
    expect(bench.model('a').waiting).toBe(0);
    expect(bench.model('b').asked).toHaveLength(0);
    expect(bench.cascade.node.children[0]!.figures).toMatchObject({ abandoned: 2, failed: 0 });
  });
});
