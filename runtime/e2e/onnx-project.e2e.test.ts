// Models of the ONNX project, served as they are, give the outputs that lie beside them.

import { readFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inferRequest, rawOutput } from './harness/requests.js';
import { ONNX_TEST_DATA, onnxTestModels } from './harness/onnx-test-data.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import type { Message } from './harness/test-client.js';

const MODELS = onnxTestModels();
/** What the ONNX project compares with. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

describe.skipIf(MODELS.length === 0).each([
  ['models of the ONNX project', []],
  // Their tensors are read from the files then, and not asked of a session.
  ['models of the ONNX project, loaded by their first request', ['--max-model-memory=16G']],
])('%s', (_what, flags) => {
  const repository = new TemporaryRepository();
  for (const { name, modelFile } of MODELS)
    repository.write(`${name}/1/model.onnx`, readFileSync(modelFile));
  const here = serving(repository, ['--exit-on-error=false', ...flags]);

  it.for(MODELS)('$name', async ({ name, modelFile, inputs, outputs }, { skip }) => {
    const refusal = await refusalOfRuntime(modelFile);
    skip(refusal !== undefined, `ONNX Runtime itself refuses it: ${refusal ?? ''}`);
    const metadata = await here.client.call('ModelMetadata', { name });
    const declared = metadata['inputs'] as Message[];

    const answer = await here.client.infer(
      inferRequest(
        name,
        inputs.map((input, i) => ({ ...input, name: String(declared[i]!['name']) })),
      ),
    );

    const came = answer['outputs'] as Message[];
    expect(came.map(typeAndShape)).toEqual(outputs.map(typeAndShape));
    outputs.forEach(({ datatype, raw: wanted }, i) => {
      const raw = rawOutput(answer, String(came[i]!['name']));
      if (datatype.startsWith('FP')) expectClose(floats(raw, datatype), floats(wanted, datatype));
      else expect(raw).toEqual(wanted);
    });
  });
});

if (MODELS.length === 0)
  it('models of the ONNX project give the outputs beside them', ({ skip }) =>
    skip(`there are none at ${ONNX_TEST_DATA}; ONNX_TEST_DATA names the place`));

/** A scalar is a row of one in the v2 protocol, as with Triton. */
const typeAndShape = ({ datatype, shape }: Message): string => {
  const sizes = shape as number[];
  return `${String(datatype)} ${(sizes.length === 0 ? [1] : sizes).join(' ')}`;
};

async function refusalOfRuntime(modelFile: string): Promise<string | undefined> {
  try {
    const session = await InferenceSession.create(modelFile, { logSeverityLevel: 4 });
    await session.release();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function floats(raw: Buffer, datatype: string): number[] {
  const { buffer } = Uint8Array.from(raw);
  return [...(datatype === 'FP32' ? new Float32Array(buffer) : new Float64Array(buffer))];
}

function expectClose(came: readonly number[], wanted: readonly number[]): void {
  expect(came).toHaveLength(wanted.length);
  const wrong = came.findIndex(
    (value, i) => !(Math.abs(value - wanted[i]!) <= ABSOLUTE + RELATIVE * Math.abs(wanted[i]!)),
  );
  expect({ at: wrong, came: came[wrong], wanted: wanted[wrong] }).toEqual({ at: -1 });
}
