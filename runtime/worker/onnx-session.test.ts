import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../testing/build.js';
import { ONNX_TYPE, onnxModel } from '../testing/onnx-model.js';
import { SUM_GRAPH, TestSessions, identityGraph } from '../testing/test-sessions.js';
import type { RunInput, RunOutput, RunTensor } from './protocol.js';

const { BFLOAT16, BOOL, FLOAT, INT64, STRING, UINT8 } = ONNX_TYPE;

const sessions = TestSessions.use();

/** Tensors in one buffer, each at a multiple of 8, as the scheduler lays them. */
function feed(...tensors: [shape: number[], data: Uint8Array][]): RunInput {
  const inputs: RunTensor[] = [];
  let size = 0;
  for (const [shape, data] of tensors) {
    inputs.push({ byteOffset: size, byteLength: data.length, shape });
    size += Math.ceil(data.length / 8) * 8;
  }
  const buffer = new ArrayBuffer(size);
  tensors.forEach(([, data], i) => new Uint8Array(buffer).set(data, inputs[i]!.byteOffset));
  return { kind: 'run', session: 1, buffer, inputs };
}

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function floatsOf(data: Uint8Array | undefined): number[] {
  return [...new Float32Array(Uint8Array.from(data ?? []).buffer)];
}

function plainOutputs({ outputs }: RunOutput): [readonly number[], number[]][] {
  return outputs.map(({ shape, data }) => [shape, [...data]]);
}

describe('a model that is loaded', () => {
  it('tells its inputs and outputs in the types of the protocol, open sizes as -1', async () => {
    const { output } = await sessions.loadGraph({
      inputs: [
        { name: 'text', type: STRING, shape: ['batch', 3] },
        { name: 'flag', type: BOOL, shape: [] },
        { name: 'half', type: BFLOAT16, shape: ['batch', 'width'] },
      ],
      outputs: [
        { name: 'same text', type: STRING, shape: ['batch', 3] },
        { name: 'number', type: INT64, shape: [] },
        { name: 'same half', type: BFLOAT16, shape: ['batch', 'width'] },
      ],
      nodes: [
        { op: 'Identity', inputs: ['text'], outputs: ['same text'] },
        { op: 'Cast', inputs: ['flag'], outputs: ['number'], ints: { to: INT64 } },
        { op: 'Identity', inputs: ['half'], outputs: ['same half'] },
      ],
    });

    expect(output).toEqual({
      kind: 'load',
      inputs: [
        { name: 'text', dataType: 'BYTES', shape: [-1, 3] },
        { name: 'flag', dataType: 'BOOL', shape: [] },
        { name: 'half', dataType: 'BF16', shape: [-1, -1] },
      ],
      outputs: [
        { name: 'same text', dataType: 'BYTES', shape: [-1, 3] },
        { name: 'number', dataType: 'INT64', shape: [] },
        { name: 'same half', dataType: 'BF16', shape: [-1, -1] },
      ],
      provider: 'cpu',
      refusals: [],
    });
  });

  it('does not show inputs that have a value already', async () => {
    const initializers = [{ name: 'b', type: FLOAT, shape: [1, 2], data: floats(1, 2) }];

    const { output } = await sessions.loadGraph({ ...SUM_GRAPH, initializers });

    expect(output.inputs.map(({ name }) => name)).toEqual(['a']);
  });

  it('may be a directory that holds model.onnx and its weights', async () => {
    const folder = join(sessions.directory, 'model-sessions.directory');
    await mkdir(folder);
    await writeFile(join(folder, 'weights.bin'), floats(10, 20));
    const initializer = {
      name: 'b',
      type: FLOAT,
      shape: [1, 2],
      data: { file: 'weights.bin', length: 8 },
    };
    const graph = {
      ...SUM_GRAPH,
      inputs: SUM_GRAPH.inputs.slice(0, 1),
      initializers: [initializer],
    };
    await writeFile(join(folder, 'model.onnx'), onnxModel(graph));
    const { session } = await sessions.load(folder);
    session.bind({ kind: 'bind', session: 1, inputs: ['a'], outputs: ['sum'] });

    const { outputs } = await session.run(feed([[1, 2], floats(1, 2)]));

    expect(floatsOf(outputs[0]?.data)).toEqual([11, 22]);
  });

  it('finds its weights beside it although it is rewritten for BF16', async () => {
    const weights = new Uint8Array(Uint16Array.of(0x4000, 0xbf80).buffer);
    await writeFile(join(sessions.directory, 'bf16.bin'), weights);
    const { session } = await sessions.loadGraph({
      inputs: [{ name: 'x', type: BFLOAT16, shape: ['n'] }],
      outputs: [{ name: 'y', type: BFLOAT16, shape: ['m'] }],
      nodes: [{ op: 'Concat', inputs: ['x', 'w'], outputs: ['y'], ints: { axis: 0 } }],
      initializers: [
        { name: 'w', type: BFLOAT16, shape: [2], data: { file: 'bf16.bin', length: 4 } },
      ],
    });
    session.bind({ kind: 'bind', session: 1, inputs: ['x'], outputs: ['y'] });

    const output = await session.run(feed([[1], Uint8Array.of(0x80, 0x3f)]));

    expect(plainOutputs(output)).toEqual([[[3], [0x80, 0x3f, ...weights]]]);
  });
});

describe('a run', () => {
  it.each([
    ['FP32', FLOAT, [2, 2], floats(1, -2, Infinity, 0.1)],
    ['UINT8', UINT8, [2, 2], Uint8Array.of(0, 1, 128, 255)],
    ['BOOL', BOOL, [2, 2], Uint8Array.of(0, 1, 1, 0)],
    ['INT64', INT64, [1, 2], new Uint8Array(BigInt64Array.of(-(2n ** 63n), 5n).buffer)],
    ['BF16', BFLOAT16, [2, 2], Uint8Array.of(0x80, 0x3f, 0, 0xc0, 0x80, 0x7f, 1, 0)],
    ['BYTES', STRING, [2, 2], lengthPrefixed(['', 'ü 世', 'a', 'long '.repeat(50)])],
    ['FP16', 10, [1, 2], Uint8Array.of(0, 0x3c, 1, 0)],
    ['FP64', 11, [1, 2], new Uint8Array(Float64Array.of(0.1, -1e300).buffer)],
    ['INT8', 3, [1, 2], Uint8Array.of(0x80, 0x7f)],
    ['UINT64', 13, [1, 2], new Uint8Array(BigUint64Array.of(2n ** 64n - 1n, 0n).buffer)],
  ])('takes and gives %s, bit for bit', async (dataType, type, shape, data) => {
    const { session, output } = await sessions.loadGraph(identityGraph(type));
    session.bind({ kind: 'bind', session: 1, inputs: ['x'], outputs: ['y'] });

    const result = await session.run(feed([shape, data]));

    expect(output.inputs[0]!.dataType).toBe(dataType);
    expect(plainOutputs(result)).toEqual([[shape, [...data]]]);
  });

  it('takes an empty batch and a scalar', async () => {
    const many = await sessions.loadGraph(identityGraph(FLOAT));
    many.session.bind({ kind: 'bind', session: 1, inputs: ['x'], outputs: ['y'] });
    const one = await sessions.loadGraph(identityGraph(FLOAT, []));
    one.session.bind({ kind: 'bind', session: 1, inputs: ['x'], outputs: ['y'] });

    expect(plainOutputs(await many.session.run(feed([[0, 2], floats()])))).toEqual([[[0, 2], []]]);
    expect(plainOutputs(await one.session.run(feed([[], floats(3)])))).toEqual([
      [[], [...floats(3)]],
    ]);
  });

  it('brings tensors and gives results in the order of the binding', async () => {
    const { session } = await sessions.loadGraph(SUM_GRAPH);
    const tensors: [number[], Uint8Array][] = [
      [[1, 2], floats(1, 2)],
      [[1, 2], floats(10, 20)],
    ];

    session.bind({ kind: 'bind', session: 1, inputs: ['a', 'b'], outputs: ['sum', 'difference'] });
    const straight = await session.run(feed(...tensors));
    session.bind({ kind: 'bind', session: 1, inputs: ['b', 'a'], outputs: ['difference', 'sum'] });
    const crossed = await session.run(feed(...tensors));

    expect(straight.outputs.map(({ data }) => floatsOf(data))).toEqual([
      [11, 22],
      [-9, -18],
    ]);
    expect(crossed.outputs.map(({ data }) => floatsOf(data))).toEqual([
      [9, 18],
      [11, 22],
    ]);
  });

  it('gives the outputs that are bound and no others', async () => {
    const { session } = await sessions.loadGraph(SUM_GRAPH);
    session.bind({ kind: 'bind', session: 1, inputs: ['a', 'b'], outputs: ['difference'] });

    const { outputs } = await session.run(feed([[1, 2], floats(1, 2)], [[1, 2], floats(1, 1)]));

    expect(outputs.map(({ data }) => floatsOf(data))).toEqual([[0, 1]]);
  });

  it('gives outputs that the next run leaves alone', async () => {
    const { session } = await sessions.loadGraph(SUM_GRAPH);
    session.bind({ kind: 'bind', session: 1, inputs: ['a', 'b'], outputs: ['sum'] });

    const first = await session.run(feed([[1, 2], floats(1, 2)], [[1, 2], floats(1, 2)]));
    await session.run(feed([[1, 2], floats(7, 7)], [[1, 2], floats(7, 7)]));

    expect(floatsOf(first.outputs[0]?.data)).toEqual([2, 4]);
  });

  it('tells how long its parts took', async () => {
    const { session } = await sessions.loadGraph(SUM_GRAPH);
    session.bind({ kind: 'bind', session: 1, inputs: ['a', 'b'], outputs: ['sum'] });

    const { inputMs, inferMs, outputMs } = await session.run(
      feed([[1, 2], floats(1, 2)], [[1, 2], floats(1, 2)]),
    );

    for (const ms of [inputMs, inferMs, outputMs]) expect(ms).toBeGreaterThanOrEqual(0);
    expect(inferMs).toBeGreaterThan(0);
  });

  it('that fails says so in the words of ONNX Runtime, and the next one is well', async () => {
    const { session } = await sessions.loadGraph(SUM_GRAPH);
    session.bind({ kind: 'bind', session: 1, inputs: ['a', 'b'], outputs: ['sum'] });
    const bad = feed([[2, 2], floats(1, 2, 3, 4)], [[3, 2], floats(1, 2, 3, 4, 5, 6)]);

    await expect(session.run(bad)).rejects.toMatchObject({
      code: 'BACKEND_FAILED',
      message: expect.stringMatching(
        /^onnx runtime error: Non-zero status code returned while running /,
      ) as string,
    });

    const good = await session.run(feed([[1, 2], floats(1, 2)], [[1, 2], floats(1, 2)]));
    expect(floatsOf(good.outputs[0]?.data)).toEqual([2, 4]);
  });

  it('on a tensor of the wrong rank fails, too', async () => {
    const { session } = await sessions.loadGraph(identityGraph(FLOAT));
    session.bind({ kind: 'bind', session: 1, inputs: ['x'], outputs: ['y'] });

    await expect(session.run(feed([[2], floats(1, 2)]))).rejects.toMatchObject({
      code: 'BACKEND_FAILED',
      message: expect.stringContaining('Invalid rank for input: x') as string,
    });
  });
});

describe('binding', () => {
  it('knows only the tensors that the model has, by the names of the model', async () => {
    const { session } = await sessions.loadGraph(identityGraph(BFLOAT16));
    const bind = (input: string, output: string) => () =>
      session.bind({ kind: 'bind', session: 1, inputs: [input], outputs: [output] });

    expect(bind('x', 'y')).not.toThrow();
    expect(bind('z', 'y')).toThrow("the session has no tensor 'z'. This is a bug.");
    expect(bind('x', 'x')).toThrow("the session has no tensor 'x'. This is a bug.");
    expect(bind('x/as_float_input', 'y')).toThrow('This is a bug.');
  });
});
