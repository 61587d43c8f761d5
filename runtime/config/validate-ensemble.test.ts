import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { ensembleProblems } from './validate-ensemble.js';

/** "A > m > B, C": a step of model m that reads A and writes B and C. */
function step(text: string): string {
  const [reads = '', model = '', writes = ''] = text.split('>').map((part) => part.trim());
  const map = (field: string, tensors: string): string =>
    tensors
      .split(/, ?/)
      .filter((tensor) => tensor !== '')
      .map((tensor, at) => `${field} { key: "${at}" value: "${tensor}" }`)
      .join(' ');
  const name = model === '' ? '' : `model_name: "${model}"`;
  return `{ ${name} ${map('input_map', reads)} ${map('output_map', writes)} }`;
}

function problems(steps: readonly string[], { more = '', inputs = ['I'], outputs = ['O'] } = {}) {
  const tensors = (field: string, names: readonly string[]): string =>
    names.map((name) => `${field} { name: "${name}" }`).join(' ');
  const text = `name: "e" platform: "ensemble" ${tensors('input', inputs)} ${tensors('output', outputs)}
    ensemble_scheduling { step [ ${steps.map(step).join(', ')} ] } ${more}`;
  const parsed = parseModelConfig(text);
  expect(parsed.problems).toEqual([]);
  return ensembleProblems(parsed.message);
}

function texts(found: ReturnType<typeof ensembleProblems>): string[] {
  return found.map(({ message }) => message);
}

describe('ensembleProblems', () => {
  it.each([
    [['I > m > O']],
    [['t > n > O', 'I > m > t']],
    [['I > a > l', 'I > b > r', 'l, r > join > O']],
    [['I, I > m > O']],
  ])('has nothing against %j', (steps) => {
    expect(problems(steps)).toEqual([]);
  });

  it.each([
    [['I > > O'], "must specify 'model_name' in step 0 of ensemble 'e'"],
    [['I > m > O', '> m > t'], "must specify 'input_map' in step 1 of ensemble 'e'"],
    [['I > m >'], "must specify 'output_map' in step 0 of ensemble 'e'"],
    [[], "must specify 'step' for ensemble 'e'"],
    [
      ['I > m > O', 'I > n > O'],
      "ensemble tensor 'O' can appear in an output map only once for ensemble 'e' step 1",
    ],
    [
      ['I > m > O, I'],
      "ensemble tensor 'I' can appear in an output map only once for ensemble 'e' step 0",
    ],
    [['I > m > O, t'], "ensemble tensor 't' is unused in ensemble 'e'"],
  ])('says of %j: %s', (steps, text) => {
    expect(texts(problems(steps))).toEqual([text]);
  });

  it('says which tensor keeps an output from being written', () => {
    expect(texts(problems(['I, gone > m > t', 't > n > O']))).toEqual([
      "output 'O' for ensemble 'e' is not written: at least one of its depending tensors, 'gone', is not connected",
      "ensemble tensor 'gone' is unused in ensemble 'e'",
      "ensemble tensor 't' is unused in ensemble 'e'",
    ]);
  });

  it('finds the end of steps that wait for each other', () => {
    expect(texts(problems(['I, b > m > a', 'a > n > b, O']))[0]).toMatch(
      /^output 'O' for ensemble 'e' is not written: .* '[ab]', is not connected$/,
    );
  });

  it('tells of every input and output that no step knows, at its place', () => {
    const found = problems(['I > m > O'], { inputs: ['I', 'J'], outputs: ['O', 'P'] });

    expect(found).toEqual([
      { path: 'input[1]', message: "ensemble input 'J' for ensemble e' is not used" },
      { path: 'output[1]', message: "ensemble output 'P' for ensemble e' is not used" },
    ]);
  });

  it.each([
    ['instance_group { count: 1 }', "instance group should not be specified for ensemble 'e'"],
    ['optimization { }', "optimization should not be specified for ensemble 'e'"],
    ['model_warmup { name: "w" }', "model_warmup can not be specified for ensemble 'e'"],
  ])('does not take %s', (more, text) => {
    expect(texts(problems(['I > m > O'], { more }))).toEqual([text]);
  });

  it('holds the platform and the steps against each other', () => {
    const of = (text: string): string[] =>
      texts(ensembleProblems(parseModelConfig(`name: "m" ${text}`).message));

    expect(of('platform: "ensemble"')).toEqual([
      'ensemble scheduling must be set for ensemble m whose platform is ensemble',
    ]);
    expect(of('backend: "onnxruntime" ensemble_scheduling { }')).toEqual([
      "ensemble scheduling cannot be set for model 'm' whose platform is not ensemble",
    ]);
    expect(of('backend: "onnxruntime"')).toEqual([]);
  });
});
