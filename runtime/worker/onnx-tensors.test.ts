import { describe, expect, it } from 'vitest';
import { ONNX_TYPE, onnxModel, type OnnxValue } from '../testing/onnx-model.js';
import { TestSessions } from '../testing/test-sessions.js';
import { OnnxSession } from './onnx-session.js';
import { readTensors } from './onnx-tensors.js';

const sessions = TestSessions.use();

async function modelOf(input: Omit<OnnxValue, 'name'>): Promise<string> {
  const inputs = [{ name: 'x', ...input }];
  const outputs = [{ name: 'y', ...input }];
  const nodes = [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }];
  return sessions.written(onnxModel({ inputs, outputs, nodes }));
}

describe('readTensors', () => {
  it.each(Object.entries(ONNX_TYPE))('says of %s what a session says', async (_name, type) => {
    const path = await modelOf({ type, shape: ['n', 3, 'm'] });

    const { output } = await sessions.load(path);

    expect(readTensors(path)).toEqual({ inputs: output.inputs, outputs: output.outputs });
  });

  it('knows scalars, and sizes that are left open', async () => {
    expect(readTensors(await modelOf({ type: ONNX_TYPE.FLOAT, shape: [] }))!.inputs).toEqual([
      { name: 'x', dataType: 'FP32', shape: [] },
    ]);
    expect(readTensors(await modelOf({ type: ONNX_TYPE.FLOAT, shape: ['n'] }))!.inputs).toEqual([
      { name: 'x', dataType: 'FP32', shape: [-1] },
    ]);
  });

  it('leaves out inputs that are weights', async () => {
    const weights = { name: 'w', type: ONNX_TYPE.FLOAT, shape: [1] };
    const path = await sessions.written(
      onnxModel({
        inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape: [1] }, weights],
        outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape: [1] }],
        initializers: [{ ...weights, data: new Uint8Array(4) }],
        nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      }),
    );

    expect(readTensors(path)!.inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('leaves it to a session where not even the rank is known', async () => {
    expect(readTensors(await modelOf({ type: ONNX_TYPE.FLOAT }))).toBeUndefined();
  });

  it('refuses what is no model', async () => {
    const path = await sessions.written('this is no model');

    expect(() => readTensors(path)).toThrow('not an ONNX model');
  });
});

describe('OnnxSession.describe', () => {
  it('misses a file that is not there, as a load does', () => {
    expect(() => OnnxSession.describe(`${sessions.directory}/none.onnx`)).toThrow(
      'failed to stat file',
    );
  });
});
