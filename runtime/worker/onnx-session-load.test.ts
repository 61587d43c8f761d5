import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import { ONNX_TYPE, onnxModel, type OnnxGraph } from '../testing/onnx-model.js';
import { SUM_GRAPH, TestSessions, identityGraph } from '../testing/test-sessions.js';
import { wireBytes, wireNumber } from './protobuf-wire.js';

const { FLOAT } = ONNX_TYPE;

const sessions = TestSessions.use();

describe('a model that cannot be loaded', () => {
  it('is not there', async () => {
    const path = join(sessions.directory, 'nosuch.onnx');

    expect(await sessions.refusal(path)).toMatchObject({
      code: 'INTERNAL',
      message: `failed to stat file ${path}`,
    });
  });

  // What comes is the system's "ENOENT: no such file or sessions.directory, open '…/model.onnx'", which is no RuntimeError: only the path
  // itself is looked at, and the error of opening the file passes through.
  it('is a directory without a model', async () => {
    const folder = join(sessions.directory, 'empty');
    await mkdir(folder);

    expect(await sessions.refusal(folder)).toMatchObject({
      code: 'INTERNAL',
      message: `failed to stat file ${join(folder, 'model.onnx')}`,
    });
  });

  it.each([
    ['no model at all', 'this is not a model', /Protobuf parsing failed/],
    ['an empty file', '', /ModelProto does not have a graph/],
    ['cut off', onnxModel(SUM_GRAPH).subarray(0, 60), /Protobuf parsing failed/],
    [
      'made of an operator that there is not',
      onnxModel({
        ...SUM_GRAPH,
        nodes: [{ op: 'NoSuchOp', inputs: ['a'], outputs: ['sum', 'difference'] }],
      }),
      /NoSuchOp/,
    ],
  ])('is %s', async (_what, content, reason) => {
    const { code, message } = await sessions.refusal(await sessions.written(content));

    expect(code).toBe('INTERNAL');
    expect(message).toMatch(/^onnx runtime error: Load model from .* failed:/s);
    expect(message).toMatch(reason);
  });

  it('has inputs or outputs of types that the protocol has no name for', async () => {
    expect(
      await sessions.refusal(await sessions.written(onnxModel(identityGraph(17)))),
    ).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        "input 'x' has type FLOAT8E4M3FN, which the protocol has no name for; output 'y' has type FLOAT8E4M3FN, which the protocol has no name for",
    });
  });

  it('has an output that is no tensor', async () => {
    // A ValueInfoProto { name: "y", type { sequence_type { elem_type { tensor_type { elem_type: FLOAT } } } } } as output 12.
    const sequence = Buffer.concat([
      wireBytes(1, 'y'),
      wireBytes(2, wireBytes(4, wireBytes(1, wireBytes(1, wireNumber(1, FLOAT))))),
    ]);
    const graph: OnnxGraph = {
      inputs: [{ name: 'x', type: FLOAT, shape: [1] }],
      outputs: [],
      nodes: [{ op: 'SequenceConstruct', inputs: ['x'], outputs: ['y'] }],
    };
    // Fields of one message that come twice are merged.
    const model = Buffer.concat([onnxModel(graph), wireBytes(7, wireBytes(12, sequence))]);

    expect(await sessions.refusal(await sessions.written(model))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: "output 'y' is not a tensor (a sequence, map or optional cannot be served)",
    });
  });

  it('finds none of the providers that may be taken', async () => {
    // A device that no machine has, so that this holds on machines with a GPU as well.
    const path = await sessions.written(onnxModel(SUM_GRAPH));

    const { code, message } = await sessions.refusal(path, { providers: ['cuda'], deviceId: 9999 });

    expect(code).toBe('INVALID_ARGUMENT');
    expect(message).toMatch(/^cuda: ./);
  });
});

describe('providers', () => {
  it('are tried in their order, and who was passed over is told', async () => {
    const path = await sessions.written(onnxModel(SUM_GRAPH));

    const { output } = await sessions.load(path, { providers: ['cuda', 'cpu'], deviceId: 9999 });

    expect(output.provider).toBe('cpu');
    expect(output.refusals).toEqual([expect.stringMatching(/^cuda: ./)]);
  });
});

describe('settings', () => {
  it('reach ONNX Runtime, which refuses what it does not know', async () => {
    const path = await sessions.written(onnxModel(SUM_GRAPH));
    const settings = {
      ...readSessionSettings({}).settings,
      entries: { 'session.intra_op_thread_affinities': 'nonsense' },
    };

    const { code, message } = await sessions.refusal(path, { settings, intraOpThreads: 2 });

    expect(code).toBe('INTERNAL');
    expect(message).toMatch(/^onnx runtime error: /);
  });
});
