import { describe, expect, it } from 'vitest';
import { aRequest, aResponse, aTensor } from '../testing/build.js';
import type { DataType } from '../core/data-type.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { outputsInNames, requestInNames } from './tensor-names.js';

const NONE = { inputs: new Map<string, string>(), outputs: new Map<string, string>() };

describe('requestInNames', () => {
  it('leaves a request as it is without maps', () => {
    const request = aRequest();

    expect(requestInNames(request, NONE)).toBe(request);
  });

  it('gives the inputs that are mapped their other names, one of ours for several of theirs, and leaves out the rest', () => {
    const inputs = [aTensor('a', [1], [1]), aTensor('b', [1], [2])];
    const names = {
      ...NONE,
      inputs: new Map([
        ['x', 'a'],
        ['y', 'a'],
      ]),
    };

    const request = requestInNames(aRequest({ inputs }), names);

    expect(request.inputs).toEqual([
      { ...inputs[0], name: 'x' },
      { ...inputs[0], name: 'y' },
    ]);
  });

  it('asks for the outputs by their other names', () => {
    const outputs = [
      { name: 'score', classCount: 2 },
      { name: 'unmapped', classCount: 0 },
    ];
    const names = { ...NONE, outputs: new Map([['p', 'score']]) };

    expect(requestInNames(aRequest({ outputs }), names).outputs).toEqual([
      { name: 'p', classCount: 2 },
    ]);
  });
});

describe('outputsInNames', () => {
  const response = aResponse({
    ...{ modelName: 'small' },
    outputs: [aTensor('p', [1], [1]), aTensor('q', [1], [2])],
  });
  const declared = (name: string, dataType: DataType = 'FP32'): TensorMetadata => ({
    ...{ name, dataType },
    shape: [-1],
  });
  const scoreOfQ = { ...NONE, outputs: new Map([['q', 'score']]) };

  it('leaves outputs as they are without a map, except those that are none of ours', () => {
    expect(outputsInNames(response, NONE, [declared('p')])).toEqual([response.outputs[0]]);
  });

  it('gives the mapped ones our names and leaves out the rest', () => {
    const outputs = outputsInNames(response, scoreOfQ, [declared('p'), declared('score')]);

    expect(outputs).toEqual([{ ...response.outputs[1], name: 'score' }]);
  });

  it('takes none of another type for ours', () => {
    expect(() => outputsInNames(response, scoreOfQ, [declared('score', 'FP64')])).toThrow(
      "fallback 'small' answered FP32 for output 'score', which is FP64",
    );
  });

  it('takes no answer that has none of ours', () => {
    expect(() => outputsInNames(response, NONE, [declared('score')])).toThrow(
      "fallback 'small' answered none of the outputs",
    );
  });
});
