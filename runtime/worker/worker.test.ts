import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transferableSymbol, valueSymbol } from 'piscina';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import { ONNX_TYPE, onnxModel } from '../testing/onnx-model.js';
import type { LoadInput, RunInput, RunOutput, WorkerInput, WorkerSettings } from './protocol.js';

// The worker refuses the main thread, which is where tests run.
vi.mock('node:worker_threads', async (original) => ({
  ...(await original<object>()),
  isMainThread: false,
  workerData: { ortLogLevel: 4 } satisfies WorkerSettings,
}));

interface Moved {
  readonly [transferableSymbol]: readonly ArrayBuffer[];
  readonly [valueSymbol]: RunOutput;
}

let handle: (input: WorkerInput) => Promise<unknown>;
let directory: string;
let modelPath: string;

beforeAll(async () => {
  ({ default: handle } = await import('./worker.js'));
  directory = await mkdtemp(join(tmpdir(), 'worker-'));
  modelPath = join(directory, 'model.onnx');
  const value = (name: string): { name: string; type: number; shape: [string] } => ({
    name,
    type: ONNX_TYPE.FLOAT,
    shape: ['n'],
  });
  const graph = onnxModel({
    inputs: [value('x')],
    outputs: [value('y'), value('z')],
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['y'] },
      { op: 'Abs', inputs: ['x'], outputs: ['z'] },
    ],
  });
  await writeFile(modelPath, graph);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

function load(session: number, path = modelPath): LoadInput {
  const { settings } = readSessionSettings({});
  return {
    kind: 'load',
    session,
    modelPath: path,
    settings,
    providers: ['cpu'],
    deviceId: 0,
    intraOpThreads: 1,
  };
}

function run(session: number, ...values: number[]): RunInput {
  const { buffer } = Float32Array.from(values);
  const inputs = [{ byteOffset: 0, byteLength: buffer.byteLength, shape: [values.length] }];
  return { kind: 'run', session, buffer, inputs };
}

async function start(session: number, outputs = ['y', 'z']): Promise<void> {
  expect(await handle(load(session))).toMatchObject({ kind: 'load' });
  expect(await handle({ kind: 'bind', session, inputs: ['x'], outputs })).toEqual({ kind: 'done' });
}

function floats({ outputs }: RunOutput): number[][] {
  return outputs.map(({ data }) => [...new Float32Array(Uint8Array.from(data).buffer)]);
}

describe('an executor thread', () => {
  it('loads, binds and runs a session', async () => {
    await start(1);

    const { [valueSymbol]: output } = (await handle(run(1, 1, -2))) as Moved;

    expect(output).toMatchObject({ kind: 'run', outputs: [{ shape: [2] }, { shape: [2] }] });
    expect(floats(output)).toEqual([
      [-1, 2],
      [1, 2],
    ]);
  });

  it('hands the memory of the outputs over, each buffer once', async () => {
    await start(2);

    const moved = (await handle(run(2, 1, -2))) as Moved;
    const { [valueSymbol]: output, [transferableSymbol]: transfer } = moved;

    expect(new Set(transfer).size).toBe(transfer.length);
    for (const { data } of output.outputs) expect(transfer).toContain(data.buffer);
    const arrived = structuredClone(output, { transfer: [...transfer] });
    expect(floats(arrived)).toEqual([
      [-1, 2],
      [1, 2],
    ]);
    expect(transfer.map(({ byteLength }) => byteLength)).toEqual(transfer.map(() => 0));
  });

  it('keeps sessions apart', async () => {
    await start(6, ['y']);
    await start(7, ['z']);

    const results = [await handle(run(6, 3)), await handle(run(7, 3))] as Moved[];

    expect(results.map((result) => floats(result[valueSymbol]))).toEqual([[[-3]], [[3]]]);
  });

  it('answers errors with their code, as they would not keep it on the way', async () => {
    const path = join(directory, 'nosuch.onnx');

    expect(await handle(load(3, path))).toEqual({
      kind: 'error',
      code: 'INTERNAL',
      message: `failed to stat file ${path}`,
    });
  });

  it('goes on after a run that failed', async () => {
    await start(4);
    const bad: RunInput = { ...run(4, 1), inputs: [{ byteOffset: 0, byteLength: 4, shape: [] }] };

    expect(await handle(bad)).toMatchObject({ kind: 'error', code: 'BACKEND_FAILED' });
    expect(((await handle(run(4, 1))) as Moved)[valueSymbol].kind).toBe('run');
  });

  it('has lost a session that it does not know: it took the place of a thread that died', async () => {
    const lost = {
      kind: 'error',
      code: 'BACKEND_LOST',
      message: 'the thread that held this instance has been replaced',
    };

    expect(await handle(run(99, 1))).toEqual(lost);
    expect(await handle({ kind: 'bind', session: 99, inputs: [], outputs: [] })).toEqual(lost);
  });

  it('frees a session, and does not mind being told twice', async () => {
    await start(5);

    expect(await handle({ kind: 'release', session: 5 })).toEqual({ kind: 'done' });
    expect(await handle(run(5, 1))).toMatchObject({ code: 'BACKEND_LOST' });
    expect(await handle({ kind: 'release', session: 5 })).toEqual({ kind: 'done' });
  });
});
