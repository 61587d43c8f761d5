import { describe, expect, it } from 'vitest';
import { NO_PARAMETERS, type InferenceRequest } from '../core/inference.js';
import type { RecordedReply } from '../testing/build.js';
import { aTensor, valuesOf } from '../testing/build.js';
import { CascadeBench } from '../testing/cascade-bench.js';
import type { Answer } from '../testing/puppet-servable.js';
import { servableConformance } from '../testing/servable-conformance.js';

/** `x` FP32 [1] in; out what the models make of it. */
function cascadeText(stages: string, outputs = '"score"'): string {
  const output = (name: string): string =>
    ({
      '"CASCADE_STAGE"': '{ name: "CASCADE_STAGE" data_type: TYPE_INT32 dims: [ 1 ] }',
      '"CASCADE_DECISION"': '{ name: "CASCADE_DECISION" data_type: TYPE_STRING dims: [ 1 ] }',
    })[name] ?? `{ name: ${name} data_type: TYPE_FP32 dims: [ 1 ] }`;
  return `name: "whole" platform: "cascade" max_batch_size: 8
    input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
    output [ ${outputs.split(' ').map(output).join(', ')} ]
    cascade_scheduling { ${stages} }`;
}

function stageText(model: string, more = ''): string {
  return `stage { model_name: "${model}" input_map { key: "in" value: "x" } output_map { key: "out" value: "score" } ${more} }`;
}

const EXTREMES =
  'exit_when { tensor: "score" above: 0.9 decision: "yes" } exit_when { tensor: "score" below: 0.1 decision: "no" }';
const ALL = '"score" "CASCADE_STAGE" "CASCADE_DECISION"';

/** out = in + `plus`, for each row. */
function adds(plus: number): Answer {
  return ({ inputs: [input] }) => {
    const values = valuesOf(input!).map((value) => value + plus);
    return { outputs: [aTensor('out', [values.length, 1], values)] };
  };
}

function rowsOf(values: readonly number[]): Pick<InferenceRequest, 'inputs'> {
  return { inputs: [aTensor('x', [values.length, 1], values)] };
}

const LIGHT = { name: 'light', answer: adds(0) };
const HEAVY = { name: 'heavy', answer: adds(100) };

function twoStages(light = EXTREMES, heavy = '', outputs = ALL): CascadeBench {
  const text = cascadeText(stageText('light', light) + stageText('heavy', heavy), outputs);
  return new CascadeBench(text, [LIGHT, HEAVY]);
}

function asked(bench: CascadeBench, model: string): number[][] {
  return bench.model(model).asked.map(({ inputs }) => valuesOf(inputs[0]!));
}

/** [score, stage, decision] of each row. */
function answered({ responses: [response] }: RecordedReply): unknown[][] {
  const named = (name: string) => response!.outputs.find((output) => output.name === name)!;
  const scores = valuesOf(named('score'));
  const stages = [...new Int32Array(named('CASCADE_STAGE').data.slice().buffer)];
  const bytes = Buffer.from(named('CASCADE_DECISION').data);
  let at = 0;
  return scores.map((score, row) => {
    const length = bytes.readUInt32LE(at);
    const decision = bytes.toString('utf8', at + 4, at + 4 + length);
    at += 4 + length;
    return [score, stages[row], decision];
  });
}

describe('Cascade', () => {
  it('sends on only the rows that no rule has finished, and puts all back in their order', () => {
    const bench = twoStages();

    const { reply } = bench.ask(rowsOf([1, 0.5, 0, 0.25]));
    bench.model('light').release();
    bench.model('heavy').release();

    expect(asked(bench, 'light')).toEqual([[1, 0.5, 0, 0.25]]);
    expect(asked(bench, 'heavy')).toEqual([[0.5, 0.25]]);
    expect(answered(reply)).toEqual([
      [1, 0, 'yes'],
      [100.5, 1, ''],
      [0, 0, 'no'],
      [100.25, 1, ''],
    ]);
    expect(reply.outcome).toBe('ok');
  });

  it('asks no further stage when all rows are finished', () => {
    const bench = twoStages();

    const { reply } = bench.ask(rowsOf([1, 0]));
    bench.model('light').release();

    expect(answered(reply)).toEqual([
      [1, 0, 'yes'],
      [0, 0, 'no'],
    ]);
    expect(bench.model('heavy').asked).toHaveLength(0);
  });

  it('consults the rules of the last stage for the decision', () => {
    const bench = twoStages(
      EXTREMES,
      'exit_when { tensor: "score" above: 100.4 decision: "spam" }',
    );

    const { reply } = bench.ask(rowsOf([0.5, 0.25]));
    bench.model('light').release();
    bench.model('heavy').release();

    expect(answered(reply)).toEqual([
      [100.5, 1, 'spam'],
      [100.25, 1, ''],
    ]);
  });

  it('returns only the outputs that are asked for, in the order of the configuration', () => {
    const bench = twoStages();
    const outputs = ['CASCADE_STAGE', 'score'].map((name) => ({ name, classCount: 0 }));

    const { reply } = bench.ask({ ...rowsOf([1]), outputs });
    bench.model('light').release();

    const [response] = reply.responses;
    expect(response!.outputs.map(({ name }) => name)).toEqual(['score', 'CASCADE_STAGE']);
    expect(response).toMatchObject({ modelName: 'whole', modelVersion: '1' });
    expect(bench.model('light').asked[0]!.outputs).toEqual([{ name: 'out', classCount: 0 }]);
  });

  it('lets rules look at inputs and at what earlier stages wrote', () => {
    const text = cascadeText(
      `stage { model_name: "light" input_map { key: "in" value: "x" } output_map { key: "out" value: "first" } }` +
        stageText('heavy', 'exit_when { tensor: "first" equals: 3 decision: "three" }') +
        stageText('light', 'exit_when { tensor: "x" index: -1 below: 0 decision: "negative" }'),
      ALL,
    );
    const bench = new CascadeBench(text, [LIGHT, HEAVY]);

    const { reply } = bench.ask(rowsOf([3, -1, 2]));
    bench.model('light').release();
    bench.model('heavy').release();
    bench.model('light').release();

    expect(asked(bench, 'light')[1]).toEqual([-1, 2]);
    expect(answered(reply)).toEqual([
      [103, 1, 'three'],
      [-1, 2, 'negative'],
      [2, 2, ''],
    ]);
  });

  it('passes parameters and id on, and of a time in the queue what is left', () => {
    const bench = twoStages();
    const custom = new Map([['k', 'v']]);
    const parameters = { ...NO_PARAMETERS, priority: 2, timeoutMs: 50, custom };

    bench.ask({ ...rowsOf([0.5]), parameters, id: '7' });
    bench.clock.advance(20);
    bench.model('light').release();

    expect(bench.model('light').asked[0]).toMatchObject({ id: '7', parameters });
    expect(bench.model('heavy').asked[0]).toMatchObject({
      id: '7',
      parameters: { ...parameters, timeoutMs: 30 },
    });
  });

  it('refuses a sequence', () => {
    const { reply } = twoStages().ask({
      ...rowsOf([1]),
      parameters: { ...NO_PARAMETERS, sequenceId: 5 },
    });

    expect(reply.outcome).toBe('INVALID_ARGUMENT');
    expect(reply.ends[0]!.message).toContain("a sequence cannot be sent to cascade 'whole'");
  });

  it('passes on the worst degradation of its stages', () => {
    const worse = { level: 'no heavy', rank: 2 };
    const bench = new CascadeBench(cascadeText(stageText('light') + stageText('heavy')), [
      { name: 'light', answer: (it) => ({ ...adds(0)(it), degradation: { level: 'a', rank: 1 } }) },
      { name: 'heavy', answer: (it) => ({ ...adds(0)(it), degradation: worse }) },
    ]);

    const { reply } = bench.ask(rowsOf([1]));
    bench.model('light').release();
    bench.model('heavy').release();

    expect(reply.responses[0]!.degradation).toEqual(worse);
  });

  it('counts rows, exits and times, and shows them in its tree', () => {
    const bench = twoStages();

    bench.ask(rowsOf([1, 0.5, 0, 0.25, 2]));
    bench.clock.advance(3);
    bench.model('light').release();
    bench.clock.advance(7);
    bench.model('heavy').release();

    const [light, heavy] = bench.cascade.node.children;
    expect(light).toMatchObject({
      ...{ kind: 'stage', name: '0', model: { name: 'light', version: 0 } },
      figures: { sent: 1, answered: 1, rows: 5, totalMs: 3 },
      settings: { exit_when: 'score above 0.9: yes, score below 0.1: no' },
    });
    expect(light!.counters!.map(({ name, labels, value }) => [name, labels, value])).toEqual([
      ['exits', { rule: 'score above 0.9', decision: 'yes' }, 2],
      ['exits', { rule: 'score below 0.1', decision: 'no' }, 1],
    ]);
    expect(heavy).toMatchObject({ figures: { rows: 2, totalMs: 7 }, counters: [] });
    expect(bench.statistics).toMatchObject({ inferenceCount: 5, executionCount: 1 });
  });

  it('asks a model in the version the stage names', () => {
    const bench = twoStages('model_version: 1');

    bench.ask(rowsOf([1]));

    expect(bench.catalog.acquired.at(-1)).toBe('light:1');
  });
});

servableConformance('a cascade', () => {
  const text = `name: "m" platform: "cascade" max_batch_size: 8
    input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ 2 ] } ]
    output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ 2 ] } ]
    cascade_scheduling { ${['a', 'b'].map((name) => `stage { model_name: "${name}" input_map { key: "in" value: "INPUT0" } output_map { key: "out" value: "OUTPUT0" } timeout_microseconds: 9000000 }`).join(' ')} }`;
  const answer: Answer = ({ inputs: [input] }) => ({ outputs: [{ ...input!, name: 'out' }] });
  const bench = new CascadeBench(text, [
    { name: 'a', answer },
    { name: 'b', answer },
  ]);
  return {
    servable: bench.cascade,
    clock: bench.clock,
    finish: () => {
      for (const name of ['a', 'b']) if (bench.model(name).waiting > 0) bench.model(name).release();
      return Promise.resolve();
    },
    breakDown: () => {
      bench.model('a').fail();
      return Promise.resolve();
    },
  };
});
