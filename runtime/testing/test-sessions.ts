// Sessions of ONNX Runtime in the process of the test, from files in a directory of its own; both are gone after it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'onnxruntime-node';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { readSessionSettings } from '../config/session-settings.js';
import { RuntimeError } from '../core/errors.js';
import { OnnxSession } from '../worker/onnx-session.js';
import type { LoadInput, LoadOutput } from '../worker/protocol.js';
import { ONNX_TYPE, onnxModel, type OnnxGraph, type OnnxValue } from './onnx-model.js';

export interface LoadedSession {
  readonly session: OnnxSession;
  readonly output: LoadOutput;
}

/** Its own messages would only disturb. */
const SILENT = 4;

export class TestSessions {
  directory = '';
  readonly #sessions: OnnxSession[] = [];
  #files = 0;

  /** To be called where tests are described. */
  static use(): TestSessions {
    const sessions = new TestSessions();
    beforeAll(async () => {
      env.logLevel = 'fatal';
      sessions.directory = await mkdtemp(join(tmpdir(), 'onnx-session-'));
    });
    afterEach(() => sessions.#release());
    afterAll(() => rm(sessions.directory, { recursive: true }));
    return sessions;
  }

  /** The path of a new file with this content. */
  async written(content: Uint8Array | string): Promise<string> {
    const path = join(this.directory, `${this.#files++}.onnx`);
    await writeFile(path, content);
    return path;
  }

  async load(modelPath: string, overrides: Partial<LoadInput> = {}): Promise<LoadedSession> {
    const input: LoadInput = {
      kind: 'load',
      session: 1,
      modelPath,
      settings: readSessionSettings({}).settings,
      providers: ['cpu'],
      deviceId: 0,
      intraOpThreads: 1,
      ...overrides,
    };
    const loaded = await OnnxSession.load(input, SILENT);
    this.#sessions.push(loaded.session);
    return loaded;
  }

  async loadGraph(graph: OnnxGraph): Promise<LoadedSession & { path: string }> {
    const path = await this.written(onnxModel(graph));
    return { ...(await this.load(path)), path };
  }

  /** Why the file cannot be loaded. */
  async refusal(path: string, overrides?: Partial<LoadInput>): Promise<RuntimeError> {
    const error: unknown = await this.load(path, overrides).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RuntimeError);
    return error as RuntimeError;
  }

  async #release(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.release();
  }
}

/** y = x, of any type. */
export function identityGraph(type: number, shape: OnnxValue['shape'] = ['n', 2]): OnnxGraph {
  return {
    inputs: [{ name: 'x', type, shape }],
    outputs: [{ name: 'y', type, shape }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  };
}

/** sum = a + b, difference = a - b. */
export const SUM_GRAPH: OnnxGraph = {
  inputs: [
    { name: 'a', type: ONNX_TYPE.FLOAT, shape: ['n', 2] },
    { name: 'b', type: ONNX_TYPE.FLOAT, shape: ['n', 2] },
  ],
  outputs: [
    { name: 'sum', type: ONNX_TYPE.FLOAT, shape: ['n', 2] },
    { name: 'difference', type: ONNX_TYPE.FLOAT, shape: ['n', 2] },
  ],
  nodes: [
    { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
    { op: 'Sub', inputs: ['a', 'b'], outputs: ['difference'] },
  ],
};
