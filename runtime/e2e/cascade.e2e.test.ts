// A cascade answers what its stages answer when plain code asks them one by one, with the same rows in the same batches: bit for bit, for
// 1,000 random batches. The models look at all rows of a batch, so that another batch would give other bits.

import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../testing/build.js';
import { ONNX_TYPE, type OnnxInitializer } from '../testing/onnx-model.js';
import { Random } from './fuzz/random.js';
import { inferRequest, rawOutput, textOutput, type RawTensor } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { TestClient } from './harness/test-client.js';

const BATCHES = 1000;
const MOST_ROWS = 12;

/** A tensor of one row as bytes, by name. */
type Row = Record<string, Buffer>;

interface Rule {
  readonly tensor: string;
  readonly index: number;
  readonly test: 'above' | 'below' | 'equals' | 'equals_string';
  readonly value: number | string;
  readonly decision: string;
}

interface Stage {
  readonly model: string;
  readonly maxRows: number;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
}

const TENSORS: Readonly<Record<string, { datatype: string; width: number }>> = {
  x: { datatype: 'FP32', width: 4 },
  a: { datatype: 'BYTES', width: 1 },
  b: { datatype: 'BYTES', width: 1 },
  embed: { datatype: 'FP32', width: 3 },
  score: { datatype: 'FP32', width: 1 },
  label: { datatype: 'BYTES', width: 1 },
};
const OUTPUTS = ['score', 'embed', 'label'];

const SEED = 20_261_121;

function stagesWith(...rules: (readonly Rule[])[]): Stage[] {
  const first = { x: 'x', text: 'a' };
  const firstOut = { score: 'score', embed: 'embed', label: 'label' };
  return [
    { model: 'first', maxRows: 12, inputs: first, outputs: firstOut, rules: rules[0]! },
    {
      ...{ model: 'second', maxRows: 5, rules: rules[1]! },
      inputs: { x: 'x', embed: 'embed' },
      outputs: { score: 'score' },
    },
    {
      ...{ model: 'third', maxRows: 3, rules: rules[2]! },
      inputs: { x: 'x', text: 'b' },
      outputs: { score: 'score', label: 'label' },
    },
  ];
}

function rule(tensor: string, test: Rule['test'], value: number | string, index = 0): Rule {
  return { tensor, index, test, value, decision: `${tensor} ${test} ${value}` };
}

const CASCADES: Readonly<Record<string, Stage[]>> = {
  by_score: stagesWith(
    [rule('score', 'above', 0.7), rule('score', 'below', 0.3)],
    [rule('score', 'above', 0.6), rule('score', 'below', 0.45)],
    [rule('score', 'above', 0.5)],
  ),
  by_text: stagesWith(
    [rule('label', 'equals_string', 'leave'), rule('a', 'equals_string', '')],
    [rule('embed', 'above', 0.8, -1), rule('b', 'equals_string', 'leave')],
    [],
  ),
  by_elements: stagesWith(
    [rule('embed', 'below', -0.6, 2), rule('x', 'above', 1, 3)],
    [rule('x', 'equals', 0, -1)],
    [rule('embed', 'above', 0, 1), rule('score', 'above', 0)],
  ),
  by_nothing: stagesWith([], [], []),
};

describe('a cascade of ONNX models', () => {
  const here = serving(repositoryOfModels());

  it(`answers as its stages do one by one, in ${BATCHES} random batches`, async () => {
    const exits = new Map<string, number>();

    // One after the other: a model would run the rows of two batches together.
    for (let next = 0; next < BATCHES; next++) {
      const names = Object.keys(CASCADES);
      const name = names[next % names.length]!;
      const random = new Random(SEED, next + 1);
      const rows = randomRows(random, random.between(1, MOST_ROWS));

      const answer = await here.client.infer(inferRequest(name, tensorsOf(rows, ['x', 'a', 'b'])));
      const { rows: expected, stages, decisions } = await oneByOne(here.client, name, rows);

      for (const output of OUTPUTS)
        expect(rawOutput(answer, output)).toEqual(
          Buffer.concat(expected.map((row) => row[output]!)),
        );
      const answered = rawOutput(answer, 'CASCADE_STAGE');
      expect([...new Int32Array(Uint8Array.from(answered).buffer)]).toEqual(stages);
      expect(textOutput(answer, 'CASCADE_DECISION')).toEqual(decisions);
      for (const [at, stage] of stages.entries()) {
        const exit = `${name} ${stage} ${decisions[at]!}`;
        exits.set(exit, (exits.get(exit) ?? 0) + 1);
      }
    }

    // Every rule of every cascade has let rows go.
    for (const [name, stages] of Object.entries(CASCADES))
      for (const [index, { rules }] of stages.entries())
        for (const { decision } of rules)
          expect(
            exits.get(`${name} ${index} ${decision}`) ?? 0,
            `${name} ${decision}`,
          ).toBeGreaterThan(10);
  });

  it('returns only what is asked for', async () => {
    const outputs = [{ name: 'CASCADE_STAGE' }];

    const answer = await here.client.infer(
      inferRequest('by_nothing', tensorsOf(randomRows(new Random(SEED), 1), ['x', 'a', 'b']), {
        outputs,
      }),
    );

    expect(answer['outputs']).toMatchObject([
      { name: 'CASCADE_STAGE', datatype: 'INT32', shape: [1, 1] },
    ]);
    expect([...rawOutput(answer, 'CASCADE_STAGE')]).toEqual([2, 0, 0, 0]);
  });

  it('counts rows in the statistics of the models and in its own', async () => {
    const before = await inferences(here.client, ['by_nothing', 'first', 'second', 'third']);
    const rows = randomRows(new Random(SEED), 7);

    await here.client.infer(inferRequest('by_nothing', tensorsOf(rows, ['x', 'a', 'b'])));

    const after = await inferences(here.client, ['by_nothing', 'first', 'second', 'third']);
    expect(after.map((count, i) => count - before[i]!)).toEqual([7, 7, 7, 7]);
  });

  it('refuses a sequence', async () => {
    const request = inferRequest(
      'by_nothing',
      tensorsOf(randomRows(new Random(SEED), 1), ['x', 'a', 'b']),
      {
        parameters: { sequence_id: { int64_param: 5 }, sequence_start: { bool_param: true } },
      },
    );

    await expect(here.client.infer(request)).rejects.toMatchObject({
      code: 3,
      details: expect.stringContaining(
        "a sequence cannot be sent to cascade 'by_nothing'",
      ) as string,
    });
  });
});

describe('a cascade that does not fit its models', () => {
  const repository = new TemporaryRepository();
  addModels(repository);
  const fitting = configText('misfit', CASCADES['by_score']!);
  const misfit = fitting.replace(/tensor: "score"(.*?above: 0.5)/, 'tensor: "label"$1');
  repository.write('misfit/1/.keep', '');
  repository.write('misfit/config.pbtxt', misfit);
  const here = serving(repository, ['--model-control-mode=explicit']);

  it('is not loaded, and its caller hears why', async () => {
    expect(misfit).not.toBe(fitting);

    await expect(
      here.client.call('RepositoryModelLoad', { model_name: 'misfit' }),
    ).rejects.toMatchObject({
      details: expect.stringContaining(
        'above cannot be asked of tensor label, which is TYPE_STRING',
      ) as string,
    });
  });
});

// ---- plain code

async function oneByOne(
  client: TestClient,
  name: string,
  given: readonly Row[],
): Promise<{ rows: Row[]; stages: number[]; decisions: string[] }> {
  const rows = given.map((row) => ({ ...row }));
  const stages = rows.map(() => -1);
  const decisions = rows.map(() => '');
  let left = rows.map((_, index) => index);
  for (const [index, stage] of CASCADES[name]!.entries()) {
    for (let from = 0; from < left.length; from += stage.maxRows)
      await askStage(
        client,
        stage,
        left.slice(from, from + stage.maxRows).map((row) => rows[row]!),
      );
    for (const row of left) {
      stages[row] = index;
      decisions[row] = stage.rules.find((it) => holds(it, rows[row]!))?.decision ?? '';
    }
    left = left.filter((row) => !stage.rules.some((it) => holds(it, rows[row]!)));
  }
  return { rows, stages, decisions };
}

async function askStage(client: TestClient, stage: Stage, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const inputs = Object.entries(stage.inputs).map(([name, tensor]) => ({
    ...tensorsOf(rows, [tensor])[0]!,
    name,
  }));
  const answer = await client.infer(inferRequest(stage.model, inputs));
  for (const [name, tensor] of Object.entries(stage.outputs)) {
    const { datatype, width } = TENSORS[tensor]!;
    const raw = rawOutput(answer, name);
    if (datatype === 'BYTES')
      for (const [at, text] of textOutput(answer, name).entries())
        rows[at]![tensor] = Buffer.from(lengthPrefixed([text]));
    else
      for (const [at, row] of rows.entries())
        row[tensor] = raw.subarray(at * width * 4, (at + 1) * width * 4);
  }
}

function holds({ tensor, index, test, value }: Rule, row: Row): boolean {
  const bytes = row[tensor]!;
  if (typeof value === 'string') return bytes.subarray(4).toString() === value;
  const all = [...new Float32Array(Uint8Array.from(bytes).buffer)];
  const elements = index === -1 ? all : [all[index]!];
  return elements.some((element) =>
    test === 'above' ? element > value : test === 'below' ? element < value : element === value,
  );
}

function randomRows(random: Random, count: number): Row[] {
  return Array.from({ length: count }, () => randomRow(random));
}

function randomRow(random: Random): Row {
  const values = Array.from({ length: 4 }, () =>
    random.below(6) === 0 ? 0 : random.between(-2000, 2000) / 1000,
  );
  const text = (): Buffer => {
    const choices = ['leave', '', 'x'.repeat(random.between(1, 40)), `größer ${random.below(100)}`];
    return Buffer.from(lengthPrefixed([random.pick(choices)]));
  };
  return { x: Buffer.from(Float32Array.from(values).buffer), a: text(), b: text() };
}

function tensorsOf(rows: readonly Row[], names: readonly string[]): RawTensor[] {
  return names.map((name) => {
    const { datatype, width } = TENSORS[name]!;
    const raw = Buffer.concat(rows.map((row) => row[name]!));
    return { name, datatype, shape: [rows.length, width], raw };
  });
}

async function inferences(client: TestClient, names: readonly string[]): Promise<number[]> {
  const counts: number[] = [];
  for (const name of names) {
    const { model_stats: stats } = await client.call('ModelStatistics', { name });
    counts.push((stats as { inference_count: number }[])[0]!.inference_count);
  }
  return counts;
}

// ---- the models

function repositoryOfModels(): TemporaryRepository {
  const repository = new TemporaryRepository();
  addModels(repository);
  for (const [name, stages] of Object.entries(CASCADES)) {
    repository.write(`${name}/1/.keep`, '');
    repository.write(`${name}/config.pbtxt`, configText(name, stages));
  }
  return repository;
}

const X = { name: 'x', type: ONNX_TYPE.FLOAT, shape: ['n', 4] };
const TEXT = { name: 'text', type: ONNX_TYPE.STRING, shape: ['n', 1] };
const EMBED = { name: 'embed', type: ONNX_TYPE.FLOAT, shape: ['n', 3] };
const SCORE = { name: 'score', type: ONNX_TYPE.FLOAT, shape: ['n', 1] };
const LABEL = { name: 'label', type: ONNX_TYPE.STRING, shape: ['n', 1] };

/** score = sigmoid(h · v - its mean over the batch), h = tanh(x · w) */
function scoreNodes(
  from: string,
): { op: string; inputs: string[]; outputs: string[]; ints?: Record<string, number[]> }[] {
  return [
    { op: 'MatMul', inputs: [from, 'v'], outputs: ['z'] },
    { op: 'ReduceMean', inputs: ['z'], outputs: ['mean'], ints: { axes: [0] } },
    { op: 'Sub', inputs: ['z', 'mean'], outputs: ['centred'] },
    { op: 'Sigmoid', inputs: ['centred'], outputs: ['score'] },
  ];
}

function weights(name: string, shape: readonly [number, number]): OnnxInitializer {
  const random = new Random(SEED);
  const values = Array.from(
    { length: shape[0] * shape[1] },
    () => random.between(-1500, 1500) / 1000,
  );
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name, type: ONNX_TYPE.FLOAT, shape, data };
}

function addModels(repository: TemporaryRepository): void {
  const config = (stage: Stage): string => `max_batch_size: ${stage.maxRows}`;
  const [first, second, third] = CASCADES['by_nothing']!;
  const embedding = [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
    { op: 'Tanh', inputs: ['h'], outputs: ['embed'] },
  ];
  const label = { op: 'Identity', inputs: ['text'], outputs: ['label'] };
  repository.model(
    'first',
    {
      ...{ inputs: [X, TEXT], outputs: [SCORE, EMBED, LABEL] },
      nodes: [...embedding, ...scoreNodes('embed'), label],
      initializers: [weights('w', [4, 3]), weights('v', [3, 1])],
    },
    config(first!),
  );
  repository.model(
    'second',
    {
      ...{ inputs: [X, EMBED], outputs: [SCORE] },
      nodes: [
        { op: 'Concat', inputs: ['x', 'embed'], outputs: ['both'], ints: { axis: 1 } },
        ...scoreNodes('both'),
      ],
      initializers: [weights('v', [7, 1])],
    },
    config(second!),
  );
  repository.model(
    'third',
    {
      ...{ inputs: [X, TEXT], outputs: [SCORE, LABEL] },
      nodes: [...scoreNodes('x'), label],
      initializers: [weights('v', [4, 1])],
    },
    config(third!),
  );
}

function configText(name: string, stages: readonly Stage[]): string {
  const tensor = (it: string): string => {
    const { datatype, width } = TENSORS[it]!;
    return `{ name: "${it}" data_type: ${datatype === 'BYTES' ? 'TYPE_STRING' : 'TYPE_FP32'} dims: [ ${width} ] }`;
  };
  const map = (field: string, entries: Readonly<Record<string, string>>): string =>
    Object.entries(entries)
      .map(([key, value]) => `${field} { key: "${key}" value: "${value}" }`)
      .join(' ');
  const rules = (all: readonly Rule[]): string =>
    all
      .map(
        ({ tensor: of, index, test, value, decision }) =>
          `exit_when { tensor: "${of}" index: ${index} ${test}: ${JSON.stringify(value)} decision: "${decision}" }`,
      )
      .join(' ');
  const stageTexts = stages.map(
    (stage) =>
      `stage { model_name: "${stage.model}" ${map('input_map', stage.inputs)} ${map('output_map', stage.outputs)} ${rules(stage.rules)} }`,
  );
  return `name: "${name}" platform: "cascade" max_batch_size: ${MOST_ROWS}
    input [ ${['x', 'a', 'b'].map(tensor).join(', ')} ]
    output [ ${OUTPUTS.map(tensor).join(', ')},
      { name: "CASCADE_STAGE" data_type: TYPE_INT32 dims: [ 1 ] },
      { name: "CASCADE_DECISION" data_type: TYPE_STRING dims: [ 1 ] } ]
    cascade_scheduling { ${stageTexts.join('\n')} }`;
}
