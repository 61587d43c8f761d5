// Models written in TypeScript, as tests write them: code and what its configuration says.

import { lengthPrefixed } from '../../testing/build.js';
import type { Message } from './test-client.js';
import type { RawTensor } from './requests.js';
import type { TemporaryRepository } from './temporary-repository.js';

/** FP32 `x` to FP32 `y`, one number a row. */
export const ONE_NUMBER = `
  input [ { name: "x" data_type: TYPE_FP32 dims: [ 1 ] } ]
  output [ { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]`;

/** Version 1 of a model whose `execute` is `body`, with `requests` and `context`. */
export function scriptModel(
  repository: TemporaryRepository,
  name: string,
  { body, config = 'max_batch_size: 64' }: { body: string; config?: string },
): void {
  const code = `
    import { defineModel, tensor, ModelError } from 'inferd';
    const y = (value: number) => ({ outputs: { y: tensor('FP32', [1, 1], [value]) } });
    export default defineModel({
      async execute(requests, context) {
        ${body}
      },
    });
  `;
  scriptFile(repository, name, { code, config: `${config} ${ONE_NUMBER}` });
}

export function scriptFile(
  repository: TemporaryRepository,
  name: string,
  { code, config }: { code: string; config: string },
): void {
  repository.write(`${name}/1/model.ts`, code);
  repository.write(`${name}/config.pbtxt`, `backend: "typescript" ${config}`);
}

/** The elements of a BYTES input, sent raw. */
export function texts(
  name: string,
  shape: readonly number[],
  values: readonly string[],
): RawTensor {
  return { name, datatype: 'BYTES', shape, raw: Buffer.from(lengthPrefixed(values)) };
}

/** "13: text" of a call that must fail. */
export async function failureOf(answer: Promise<Message>): Promise<string> {
  return answer.then(
    () => 'answered',
    (error: unknown) => {
      const { code, details } = error as { code: number; details: string };
      return `${code}: ${details}`;
    },
  );
}
