import { describe, expect, it } from 'vitest';
import { partProblems, type Part, type PartModel, type PartTensor } from './check-parts.js';

function tensor(name: string, dataType = 'TYPE_FP32', shape: readonly number[] = [-1, 2]) {
  return { name, dataType, shape };
}

function model(name: string, tensors: Partial<PartModel> = {}): PartModel {
  return { name, maxBatchSize: 4, inputs: [tensor('X')], outputs: [tensor('Y')], ...tensors };
}

function part(
  of: PartModel,
  inputs: Readonly<Record<string, string>>,
  outputs: Readonly<Record<string, string>>,
): Part {
  const links = (map: Readonly<Record<string, string>>) =>
    Object.entries(map).map(([name, whole]) => ({ part: name, whole }));
  return {
    config: {
      model: { name: of.name, version: 0 },
      ...{ inputs: links(inputs), outputs: links(outputs) },
      ...{ timeoutMs: Infinity, continues: false },
    },
    model: of,
    path: 'step[0]',
  };
}

const WHOLE = model('e', { inputs: [tensor('I')], outputs: [tensor('O')] });

function texts(parts: readonly Part[], whole = WHOLE): string[] {
  return partProblems('ensemble', whole, parts).map(({ message }) => message);
}

describe('partProblems', () => {
  it('has nothing against steps that fit, where -1 fits any size', () => {
    const any = model('b', { outputs: [tensor('Y', 'TYPE_FP32', [-1, -1])] });

    expect(
      texts([part(model('a'), { X: 'I' }, { Y: 't' }), part(any, { X: 't' }, { Y: 'O' })]),
    ).toEqual([]);
  });

  it('names tensors that a model does not have, and inputs that nobody feeds', () => {
    const two = model('c', { inputs: [tensor('X'), tensor('Z')] });

    expect(partProblems('ensemble', WHOLE, [part(two, { X: 'I', W: 'I' }, { V: 'O' })])).toEqual([
      {
        path: 'step[0].input_map["W"]',
        message: 'in ensemble e, ensemble tensor I is mapping to non-existing input W in model c',
      },
      {
        path: 'step[0].input_map',
        message: 'in ensemble e, input Z in model c is not mapped to any ensemble tensors',
      },
      {
        path: 'step[0].output_map["V"]',
        message: 'in ensemble e, ensemble tensor O is mapped from non-existing output V in model c',
      },
    ]);
  });

  it('lets an optional input be', () => {
    const optional: PartTensor = { ...tensor('Z'), optional: true };
    const two = model('c', { inputs: [tensor('X'), optional] });

    expect(texts([part(two, { X: 'I' }, { Y: 'O' })])).toEqual([]);
  });

  it('tells who says what of a tensor', () => {
    const ints = model('ints', { outputs: [tensor('Y', 'TYPE_INT32')] });
    const wide = model('wide', { inputs: [tensor('X', 'TYPE_FP32', [-1, 3])] });

    expect(
      texts([part(ints, { X: 'I' }, { Y: 't' }), part(model('b'), { X: 't' }, { Y: 'O' })]),
    ).toEqual([
      'in ensemble e, ensemble tensor t: inconsistent data type: TYPE_INT32 is inferred from model ints while TYPE_FP32 is ' +
        'inferred from model b',
    ]);
    expect(texts([part(wide, { X: 'I' }, { Y: 'O' })])).toEqual([
      'in ensemble e, ensemble tensor I: inconsistent shape: [-1,2] is inferred from model e while [-1,3] is inferred from ' +
        'model wide',
    ]);
  });

  it('does not let batches in that a step cannot take', () => {
    const small = model('small', { maxBatchSize: 2 });

    expect(texts([part(small, { X: 'I' }, { Y: 'O' })])).toEqual([
      'ensemble e allows maximum batch size 4, but it contains model small which only allows maximum batch size to be 2',
    ]);
    expect(texts([part(small, { X: 'I' }, { Y: 'O' })], { ...WHOLE, maxBatchSize: 0 })).toEqual([]);
  });
});
