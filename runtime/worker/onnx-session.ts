// One ONNX Runtime session: made from a file, bound to the tensors it is fed and asked for, run, released. `run` blocks its
// thread while the model computes.

import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InferenceSession, type Tensor as OrtTensor } from 'onnxruntime-node';
import type { DataType } from '../core/data-type.js';
import { RuntimeError, bug } from '../core/errors.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import {
  floatInputName,
  floatOutputName,
  readDeclarations,
  withFloatBoundary,
  type OnnxDeclarations,
} from './onnx-file.js';
import { readTensors, type DeclaredTensors } from './onnx-tensors.js';
import type {
  BindInput,
  ExecutionProvider,
  LoadInput,
  LoadOutput,
  RunInput,
  RunOutput,
} from './protocol.js';
import { sessionOptions } from './session-options.js';
import { dataTypeFromOrt, fromOrtTensor, toOrtTensor } from './tensor-conversion.js';

/** A tensor of the model: what users call it, what the session calls it, and its type for users. */
interface SessionTensor extends TensorMetadata {
  readonly sessionName: string;
}

export class OnnxSession {
  readonly #session: InferenceSession;
  readonly #inputs: readonly SessionTensor[];
  readonly #outputs: readonly SessionTensor[];
  #boundInputs: readonly SessionTensor[] = [];
  #boundOutputs: readonly SessionTensor[] = [];
  #fetches: readonly string[] = [];

  private constructor(session: InferenceSession, declarations: OnnxDeclarations) {
    const bf16In = new Map(declarations.bfloat16Inputs.map((name) => [floatInputName(name), name]));
    const bf16Out = new Map(
      declarations.bfloat16Outputs.map((name) => [floatOutputName(name), name]),
    );
    this.#session = session;
    this.#inputs = session.inputMetadata.map((metadata) =>
      sessionTensor('input', metadata, bf16In),
    );
    this.#outputs = session.outputMetadata.map((metadata) =>
      sessionTensor('output', metadata, bf16Out),
    );
  }

  /** What a session of the model would say of it; undefined where only the session can. @throws RuntimeError */
  static describe(modelPath: string): DeclaredTensors | undefined {
    return readTensors(modelFile(modelPath));
  }

  /** @throws RuntimeError that says what is wrong with the model */
  static async load(
    input: LoadInput,
    logLevel: 0 | 1 | 2 | 3 | 4,
  ): Promise<{ session: OnnxSession; output: LoadOutput }> {
    const path = modelFile(input.modelPath);
    const declarations = readDeclarationsLeniently(path);
    if (declarations.unsupported.length > 0)
      throw new RuntimeError('INVALID_ARGUMENT', declarations.unsupported.join('; '));
    const { created, provider, refusals } = await create(path, declarations, { input, logLevel });
    try {
      const session = new OnnxSession(created, declarations);
      const output: LoadOutput = {
        kind: 'load',
        inputs: session.#inputs.map(metadataOf),
        outputs: session.#outputs.map(metadataOf),
        provider,
        refusals,
      };
      return { session, output };
    } catch (error) {
      await created.release();
      throw error;
    }
  }

  bind({ inputs, outputs }: BindInput): void {
    this.#boundInputs = inputs.map((name) => named(this.#inputs, name));
    this.#boundOutputs = outputs.map((name) => named(this.#outputs, name));
    this.#fetches = this.#boundOutputs.map(({ sessionName }) => sessionName);
  }

  async run({ buffer, inputs }: RunInput): Promise<RunOutput> {
    const startedAt = performance.now();
    const feeds: Record<string, OrtTensor> = {};
    this.#boundInputs.forEach(({ sessionName, dataType }, i) => {
      feeds[sessionName] = toOrtTensor(dataType, { buffer, ...inputs[i]! });
    });
    const fedAt = performance.now();
    const results = await this.#runSession(feeds);
    const ranAt = performance.now();
    const outputs = this.#boundOutputs.map(({ sessionName, dataType }) => {
      const tensor = results[sessionName] as OrtTensor;
      return { shape: tensor.dims, data: fromOrtTensor(dataType, tensor) };
    });
    return {
      kind: 'run',
      outputs,
      inputMs: fedAt - startedAt,
      inferMs: ranAt - fedAt,
      outputMs: performance.now() - ranAt,
    };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  async #runSession(feeds: Record<string, OrtTensor>): Promise<InferenceSession.OnnxValueMapType> {
    try {
      return await this.#session.run(feeds, this.#fetches);
    } catch (error) {
      throw new RuntimeError('BACKEND_FAILED', `onnx runtime error: ${messageOf(error)}`);
    }
  }
}

// ---- details below; callers need not read ----

/** A model may be a directory that holds model.onnx and its weights. */
function modelFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new RuntimeError('INTERNAL', `failed to stat file ${path}`);
  return stats.isDirectory() ? modelFile(join(path, 'model.onnx')) : path;
}

/** Whatever is wrong with a file that does not read as ONNX, ONNX Runtime says it, in the words people look up. */
function readDeclarationsLeniently(path: string): OnnxDeclarations {
  try {
    return readDeclarations(path);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { bfloat16Inputs: [], bfloat16Outputs: [], unsupported: [] };
  }
}

interface Creation {
  readonly created: InferenceSession;
  readonly provider: ExecutionProvider;
  readonly refusals: readonly string[];
}

async function create(
  path: string,
  declarations: OnnxDeclarations,
  { input, logLevel }: { input: LoadInput; logLevel: 0 | 1 | 2 | 3 | 4 },
): Promise<Creation> {
  const rewrite = declarations.bfloat16Inputs.length + declarations.bfloat16Outputs.length > 0;
  const bytes = rewrite ? withFloatBoundary(path, declarations) : undefined;
  // A model that comes as bytes has no place of its own to look for its weights in.
  const folder = { 'session.model_external_initializers_file_folder_path': dirname(path) };
  const settings = bytes
    ? { ...input.settings, entries: { ...folder, ...input.settings.entries } }
    : input.settings;
  const refusals: string[] = [];
  for (const provider of input.providers) {
    const options = sessionOptions({ ...input, settings }, provider, logLevel);
    try {
      const created = await (bytes
        ? InferenceSession.create(bytes, options)
        : InferenceSession.create(path, options));
      return { created, provider, refusals };
    } catch (error) {
      refusals.push(`${provider}: ${messageOf(error)}`);
      if (provider === 'cpu')
        throw new RuntimeError('INTERNAL', `onnx runtime error: ${messageOf(error)}`);
    }
  }
  throw new RuntimeError('INVALID_ARGUMENT', refusals.join('; '));
}

function sessionTensor(
  side: 'input' | 'output',
  metadata: InferenceSession.ValueMetadata,
  bfloat16: ReadonlyMap<string, string>,
): SessionTensor {
  const sessionName = metadata.name;
  // onnxruntime-node keeps tensors by name in plain objects.
  if (sessionName === '__proto__')
    throw new RuntimeError('INVALID_ARGUMENT', `${side} '__proto__' cannot be served by that name`);
  if (!metadata.isTensor) {
    const message = `${side} '${sessionName}' is not a tensor (a sequence, map or optional cannot be served)`;
    throw new RuntimeError('INVALID_ARGUMENT', message);
  }
  const original = bfloat16.get(sessionName);
  const dataType: DataType | undefined =
    original === undefined ? dataTypeFromOrt(metadata.type) : 'BF16';
  if (dataType === undefined)
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `${side} '${sessionName}' has the unsupported type ${metadata.type}`,
    );
  const shape = metadata.shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name: original ?? sessionName, sessionName, dataType, shape };
}

function metadataOf({ name, dataType, shape }: SessionTensor): TensorMetadata {
  return { name, dataType, shape };
}

function named(tensors: readonly SessionTensor[], name: string): SessionTensor {
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (!tensor) throw bug(`the session has no tensor '${name}'`);
  return tensor;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim();
}
