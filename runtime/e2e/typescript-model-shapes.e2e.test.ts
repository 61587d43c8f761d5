// The shapes in which models in TypeScript see tensors: reshaped ones, and several in one batch.

import { describe, expect, it } from 'vitest';
import { fp32, inferRequest, textOutput } from './harness/requests.js';
import { failureOf, scriptFile } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';

const TELLS = `
  import { defineModel, tensor } from 'inferd';
  export default defineModel({
    execute: (requests) => requests.map((request) => {
      const x = request.input('x', 'FP32');
      const y = tensor('FP32', x.shape, x.data);
      return { outputs: { y, saw: tensor('BYTES', [request.rows], [\`\${x.shape} of \${requests.length}\`]) } };
    }),
  });`;

describe('a model in TypeScript whose tensors are reshaped', () => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'shaped', {
    code: TELLS,
    config: `
      max_batch_size: 2
      input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 2 ] reshape { shape: [ 1, -1, 2 ] } } ]
      output [
        { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] reshape { shape: [ 1, -1, 2 ] } },
        { name: "saw" data_type: TYPE_STRING dims: [ 1 ] reshape { shape: [ ] } } ]
      model_warmup [ { name: "w" batch_size: 1
        inputs { key: "x" value { data_type: TYPE_FP32 dims: [ 3, 2 ] zero_data: true } } } ]`,
  });
  scriptFile(repository, 'wrong', {
    code: TELLS,
    config: `
      max_batch_size: 2
      input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
      output [
        { name: "y" data_type: TYPE_FP32 dims: [ 6 ] reshape { shape: [ 2, 3 ] } },
        { name: "saw" data_type: TYPE_STRING dims: [ 1 ] reshape { shape: [ ] } } ]`,
  });
  const here = serving(repository);

  it('sees them as it wants, also in warm-up, and its users as they are declared', async () => {
    const answer = await here.client.infer(
      inferRequest('shaped', [fp32('x', [1, 3, 2], [1, 2, 3, 4, 5, 6])]),
    );

    const outputs = answer['outputs'] as { name: string; shape: string[] }[];
    expect(outputs.map(({ name, shape }) => [name, shape.map(Number)])).toEqual([
      ['y', [1, 3, 2]],
      ['saw', [1, 1]],
    ]);
    expect(textOutput(answer, 'saw')).toEqual(['1,1,3,2 of 1']);
  });

  it('is told of outputs that are not of the shape it has to make', async () => {
    const asked = here.client.infer(
      inferRequest('wrong', [fp32('x', [1, 3, 2], [1, 2, 3, 4, 5, 6])]),
    );

    expect(await failureOf(asked)).toMatch(
      /^13: .*output 'y' is FP32 .*the configuration says FP32 \[1,2,3\]/,
    );
  });
});

describe('a model in TypeScript with a ragged input', () => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'ragged', {
    code: `
      import { defineModel, tensor } from 'inferd';
      export default defineModel({
        execute: (requests) => requests.map((request) => {
          const text = \`\${request.input('x', 'FP32').shape} of \${requests.length}\`;
          return { outputs: { saw: tensor('BYTES', [1, 1], [text]) } };
        }),
      });`,
    config: `
      max_batch_size: 8 dynamic_batching { preferred_batch_size: [ 2 ] max_queue_delay_microseconds: 5000000 }
      input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true } ]
      output [ { name: "saw" data_type: TYPE_STRING dims: [ 1 ] } ]`,
  });
  const here = serving(repository);

  it('gets requests of different shapes in one batch, as without', async () => {
    const answers = await Promise.all(
      [1, 3].map((size) =>
        here.client.infer(
          inferRequest('ragged', [fp32('x', [1, size], Array<number>(size).fill(0))]),
        ),
      ),
    );

    expect(answers.flatMap((answer) => textOutput(answer, 'saw'))).toEqual([
      '1,1 of 2',
      '1,3 of 2',
    ]);
  });
});
