// A row has the same answer alone, in a request of many rows, and merged with the rows of other clients: bit for bit.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../testing/build.js';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { inferRequest, rawOutput, type RawTensor } from './harness/requests.js';
import { SAMPLE_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { serving } from './harness/serving.js';
import { executions } from './harness/test-client.js';

interface Subject {
  readonly model: string;
  readonly version: number;
  readonly input: Omit<RawTensor, 'raw' | 'shape'> & { readonly rowShape: readonly number[] };
  readonly output: string;
  /** The raw bytes of some row. */
  readonly row: (i: number) => Buffer;
}

const BATCH_SIZES = [2, 3, 5, 8, 16, 33];

const MESSAGES = {
  input: { name: 'text', datatype: 'BYTES', rowShape: [1] },
  output: 'spam_probability',
  row: (i: number) => Buffer.from(lengthPrefixed([`call ${i * 977} to win, é${'!'.repeat(i)}`])),
};

const SUBJECTS: Subject[] = [
  {
    model: 'elementwise',
    version: 1,
    input: { name: 'X', datatype: 'FP32', rowShape: [7] },
    output: 'Y',
    row: (i) => floats(7, (j) => Math.sin(i * 7 + j) * 3),
  },
  {
    model: 'digits',
    version: 1,
    input: { name: 'pixels', datatype: 'FP32', rowShape: [64] },
    output: 'probabilities',
    row: (i) => floats(64, (j) => (i * 31 + j * 7) % 17),
  },
  { model: 'spam_light', version: 1, ...MESSAGES },
  { model: 'spam_light', version: 2, ...MESSAGES },
  { model: 'spam_heavy', version: 1, ...MESSAGES },
];

describe.each(SUBJECTS)('$model, version $version', ({ model, version, input, output, row }) => {
  const repository = new TemporaryRepository();
  install(repository, model, version);
  const here = serving(repository);

  async function ask(name: string, rows: readonly Buffer[]): Promise<Buffer> {
    const { name: inputName, datatype, rowShape } = input;
    const shape = [rows.length, ...rowShape];
    const tensor = { name: inputName, datatype, shape, raw: Buffer.concat(rows) };
    return rawOutput(await here.client.infer(inferRequest(name, [tensor])), output);
  }

  it.each(BATCH_SIZES)('answers %i rows as it answers each alone', async (count) => {
    const rows = Array.from({ length: count }, (_, i) => row(i));
    const alone: Buffer[] = [];
    for (const one of rows) alone.push(await ask('alone', [one]));

    const together = await ask('alone', rows);
    const merged = await Promise.all(rows.map((one) => ask(`merged_${count}`, [one])));

    expect(together).toEqual(Buffer.concat(alone));
    expect(merged).toEqual(alone);
    expect(new Set(alone.map(String)).size).toBeGreaterThan(1);
    expect(await executions(here.client, `merged_${count}`)).toEqual([[count, 1]]);
  });
});

/** `alone` never merges; `merged_N` waits until N rows are there. */
function install(repository: TemporaryRepository, model: string, version: number): void {
  const add = (name: string, settings: string): void => {
    const config = `${settings} version_policy { specific { versions: [ ${version} ] } }`;
    if (model !== 'elementwise') repository.copy(join(SAMPLE_MODELS, model), name, config);
    else
      repository.model(
        name,
        {
          inputs: [{ name: 'X', type: ONNX_TYPE.FLOAT, shape: ['n', 7] }],
          outputs: [{ name: 'Y', type: ONNX_TYPE.FLOAT, shape: ['n', 7] }],
          nodes: [
            { op: 'Tanh', inputs: ['X'], outputs: ['t'] },
            { op: 'Mul', inputs: ['t', 'X'], outputs: ['m'] },
            { op: 'Softmax', inputs: ['m'], outputs: ['Y'], ints: { axis: 1 } },
          ],
        },
        config,
      );
  };
  add('alone', `max_batch_size: ${Math.max(...BATCH_SIZES)}`);
  for (const count of BATCH_SIZES)
    add(
      `merged_${count}`,
      `max_batch_size: ${count} dynamic_batching { max_queue_delay_microseconds: 60000000 }`,
    );
}

function floats(count: number, value: (i: number) => number): Buffer {
  return Buffer.from(Float32Array.from({ length: count }, (_, i) => value(i)).buffer);
}
