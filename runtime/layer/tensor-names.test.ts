import { describe, expect, it } from 'vitest';
import { aRequest, aResponse, aTensor } from '../testing/build.js';
import { outputsInNames, requestInNames } from './tensor-names.js';

const NONE = { inputs: new Map<string, string>(), outputs: new Map<string, string>() };
const named = (outputs: { name: string }[]): string[] => outputs.map(({ name }) => name);

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
  const response = aResponse({ outputs: [aTensor('p', [1], [1]), aTensor('q', [1], [2])] });

  it('leaves outputs as they are without a map', () => {
    expect(outputsInNames(response, NONE)).toBe(response.outputs);
  });

  it('gives the mapped ones our names and leaves out the rest', () => {
    const names = { ...NONE, outputs: new Map([['q', 'score']]) };

    expect(named([...outputsInNames(response, names)])).toEqual(['score']);
  });
});
