import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor, env } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ONNX_TYPE, onnxModel, type OnnxGraph, type OnnxValue } from '../testing/onnx-model.js';
import {
  floatInputName,
  floatOutputName,
  readDeclarations,
  withFloatBoundary,
} from './onnx-file.js';
import { wireBytes, wireNumber } from './protobuf-wire.js';

const { BFLOAT16, FLOAT, INT64 } = ONNX_TYPE;

let directory: string;
let files = 0;

beforeAll(async () => {
  env.logLevel = 'fatal';
  directory = await mkdtemp(join(tmpdir(), 'onnx-file-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

async function written(content: Uint8Array | string): Promise<string> {
  const path = join(directory, `${files++}.onnx`);
  await writeFile(path, content);
  return path;
}

function value(name: string, type: number, shape: OnnxValue['shape'] = ['n', 2]): OnnxValue {
  return { name, type, shape };
}

/** y = x for each pair. */
function identity(...pairs: [input: OnnxValue, output: OnnxValue][]): OnnxGraph {
  return {
    inputs: pairs.map(([input]) => input),
    outputs: pairs.map(([, output]) => output),
    nodes: pairs.map(([input, output]) => ({
      op: 'Identity',
      inputs: [input.name],
      outputs: [output.name],
    })),
  };
}

/** BF16 values as they lie in a file. */
function halves(...values: number[]): Uint8Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
}

/** The rewritten model as ONNX Runtime sees it. */
async function rewritten(
  graph: OnnxGraph,
): Promise<{ session: InferenceSession; inputs: unknown; outputs: unknown }> {
  const path = await written(onnxModel(graph));
  const bytes = withFloatBoundary(path, readDeclarations(path));
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const seen = (metadata: InferenceSession.ValueMetadata): unknown =>
    metadata.isTensor ? [metadata.name, metadata.type, metadata.shape] : metadata.name;
  return {
    session,
    inputs: session.inputMetadata.map(seen),
    outputs: session.outputMetadata.map(seen),
  };
}

describe('readDeclarations', () => {
  it('finds nothing to do in a model of ordinary types', async () => {
    const path = await written(onnxModel(identity([value('x', FLOAT), value('y', FLOAT)])));

    expect(readDeclarations(path)).toEqual({
      bfloat16Inputs: [],
      bfloat16Outputs: [],
      unsupported: [],
    });
  });

  it('finds the BF16 inputs and outputs among others', async () => {
    const path = await written(
      onnxModel(
        identity(
          [value('a', BFLOAT16), value('b', BFLOAT16)],
          [value('c', FLOAT), value('d', FLOAT)],
          [value('e', BFLOAT16, []), value('f', BFLOAT16, [])],
        ),
      ),
    );

    expect(readDeclarations(path)).toMatchObject({
      bfloat16Inputs: ['a', 'e'],
      bfloat16Outputs: ['b', 'f'],
    });
  });

  it('leaves out inputs that have a value already', async () => {
    const graph = identity([value('x', BFLOAT16, [2]), value('y', BFLOAT16, [2])]);
    const initializers = [{ name: 'x', type: BFLOAT16, shape: [2], data: halves(1, 2) }];
    const path = await written(onnxModel({ ...graph, initializers }));

    expect(readDeclarations(path)).toMatchObject({ bfloat16Inputs: [], bfloat16Outputs: ['y'] });
  });

  it.each([
    [17, 'FLOAT8E4M3FN'],
    [18, 'FLOAT8E4M3FNUZ'],
    [19, 'FLOAT8E5M2'],
    [20, 'FLOAT8E5M2FNUZ'],
    [21, 'UINT4'],
    [22, 'INT4'],
    [23, 'FLOAT4E2M1'],
    [24, 'FLOAT8E8M0'],
  ])('names what has type %i, %s', async (type, name) => {
    const path = await written(onnxModel(identity([value('x', type), value('y', type)])));

    expect(readDeclarations(path).unsupported).toEqual([
      `input 'x' has type ${name}, which the protocol has no name for`,
      `output 'y' has type ${name}, which the protocol has no name for`,
    ]);
  });

  it('does not mind the type of an input that has a value already', async () => {
    const graph = identity([value('x', 21, [2]), value('y', FLOAT, [2])]);
    const initializers = [{ name: 'x', type: 21, shape: [2], data: Buffer.of(0) }];
    const path = await written(onnxModel({ ...graph, initializers }));

    expect(readDeclarations(path).unsupported).toEqual([]);
  });

  it('does not mind what is no tensor', async () => {
    // ValueInfoProto { name: "x", type { sequence_type { elem_type { tensor_type { elem_type: BFLOAT16 } } } } }
    const tensor = wireBytes(1, wireNumber(1, BFLOAT16));
    const sequence = Buffer.concat([
      wireBytes(1, 'x'),
      wireBytes(2, wireBytes(4, wireBytes(1, tensor))),
    ]);
    const path = await written(wireBytes(7, wireBytes(11, sequence)));

    expect(readDeclarations(path)).toEqual({
      bfloat16Inputs: [],
      bfloat16Outputs: [],
      unsupported: [],
    });
  });

  it('reads past weights', async () => {
    const weights = { name: 'w', type: FLOAT, shape: [2 ** 18], data: Buffer.alloc(2 ** 20, 0xff) };
    const graph = identity([value('x', BFLOAT16), value('y', BFLOAT16)]);
    const path = await written(onnxModel({ ...graph, initializers: [weights] }));

    expect(readDeclarations(path)).toMatchObject({ bfloat16Inputs: ['x'], bfloat16Outputs: ['y'] });
  });

  it('finds nothing in a file without a graph', async () => {
    const nothing = { bfloat16Inputs: [], bfloat16Outputs: [], unsupported: [] };

    expect(readDeclarations(await written(''))).toEqual(nothing);
    expect(readDeclarations(await written(wireNumber(1, 8)))).toEqual(nothing);
  });

  it.each([
    ['text', 'this is not a model'],
    ['the page of a proxy', '<!DOCTYPE html><html></html>'],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\n'],
    [
      'a model that is cut off',
      onnxModel(identity([value('x', 1), value('y', 1)])).subarray(0, 40),
    ],
  ])('refuses %s', async (_what, content) => {
    const path = await written(content);

    expect(() => readDeclarations(path)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^not an ONNX model: /) as string,
      }),
    );
  });
});

describe('withFloatBoundary', () => {
  it('makes FLOAT of BF16 inputs and outputs, under names of their own', async () => {
    const graph = identity([value('x', BFLOAT16), value('y', BFLOAT16)]);

    const { session, inputs, outputs } = await rewritten(graph);

    expect(inputs).toEqual([[floatInputName('x'), 'float32', ['n', 2]]]);
    expect(outputs).toEqual([[floatOutputName('y'), 'float32', ['n', 2]]]);
    await session.release();
  });

  it('computes the same', async () => {
    const { session } = await rewritten(identity([value('x', BFLOAT16), value('y', BFLOAT16)]));
    const values = Float32Array.of(1.5, -2, Infinity, 2 ** -130);

    const results = await session.run({
      [floatInputName('x')]: new Tensor('float32', values, [2, 2]),
    });

    const y = results[floatOutputName('y')]!;
    expect([y.dims, y.data]).toEqual([[2, 2], values]);
    await session.release();
  });

  it('leaves the other inputs and outputs as they are, all in their order', async () => {
    const { session, inputs, outputs } = await rewritten(
      identity(
        [value('a', FLOAT, [3]), value('b', FLOAT, [3])],
        [value('c', BFLOAT16), value('d', BFLOAT16)],
        [value('e', INT64, ['m']), value('f', INT64, ['m'])],
      ),
    );

    expect(inputs).toEqual([
      ['a', 'float32', [3]],
      [floatInputName('c'), 'float32', ['n', 2]],
      ['e', 'int64', ['m']],
    ]);
    expect(outputs).toEqual([
      ['b', 'float32', [3]],
      [floatOutputName('d'), 'float32', ['n', 2]],
      ['f', 'int64', ['m']],
    ]);
    await session.release();
  });

  it('keeps scalars and sizes that nobody knows', async () => {
    const scalar = await rewritten(identity([value('x', BFLOAT16, []), value('y', BFLOAT16, [])]));
    expect(scalar.inputs).toEqual([[floatInputName('x'), 'float32', []]]);
    await scalar.session.release();

    const unknown = { name: 'x', type: BFLOAT16 };
    const any = await rewritten(identity([unknown, { ...unknown, name: 'y' }]));
    expect(any.inputs).toEqual([[floatInputName('x'), 'float32', []]]);
    await any.session.release();
  });

  it.each([
    ['input', value('x', BFLOAT16), value('y', FLOAT), 1, floatInputName('x'), 'y'],
    ['output', value('x', FLOAT), value('y', BFLOAT16), 16, 'x', floatOutputName('y')],
  ])(
    'rewrites a model of which only the %s is BF16',
    async (_side, input, output, to, ...names) => {
      const { session } = await rewritten({
        inputs: [input],
        outputs: [output],
        nodes: [{ op: 'Cast', inputs: ['x'], outputs: ['y'], ints: { to } }],
      });
      const [fed, fetched] = names;

      const results = await session.run({
        [fed]: new Tensor('float32', Float32Array.of(0.5, -4), [1, 2]),
      });

      expect(results[fetched]!.data).toEqual(Float32Array.of(0.5, -4));
      await session.release();
    },
  );

  it('takes an input that is an output as well', async () => {
    const { session } = await rewritten({
      inputs: [value('x', BFLOAT16)],
      outputs: [value('x', BFLOAT16), value('y', BFLOAT16)],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    });

    const results = await session.run({
      [floatInputName('x')]: new Tensor('float32', Float32Array.of(3, 5), [1, 2]),
    });

    for (const name of ['x', 'y'])
      expect(results[floatOutputName(name)]!.data).toEqual(Float32Array.of(3, 5));
    await session.release();
  });

  it('leaves an input alone that has a value already, BF16 or not', async () => {
    const { session, inputs } = await rewritten({
      inputs: [value('x', BFLOAT16, [1]), value('w', BFLOAT16, [2])],
      outputs: [value('y', BFLOAT16, [3])],
      nodes: [{ op: 'Concat', inputs: ['x', 'w'], outputs: ['y'], ints: { axis: 0 } }],
      initializers: [{ name: 'w', type: BFLOAT16, shape: [2], data: halves(8, -0.25) }],
    });

    const results = await session.run({
      [floatInputName('x')]: new Tensor('float32', Float32Array.of(7), [1]),
    });

    expect(inputs).toEqual([[floatInputName('x'), 'float32', [1]]]);
    expect(results[floatOutputName('y')]!.data).toEqual(Float32Array.of(7, 8, -0.25));
    await session.release();
  });

  it('copies a model without BF16 byte for byte', async () => {
    const model = onnxModel(identity([value('x', FLOAT), value('y', FLOAT)]));
    const path = await written(model);

    expect(withFloatBoundary(path, readDeclarations(path))).toEqual(model);
  });
});
