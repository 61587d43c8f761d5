// The states with which sequences of a model begin, from the configuration and the files of its directory.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SequenceConfig, StateSpec } from '../config/sequence-config.js';
import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { elementCount, type Tensor } from '../core/tensor.js';
import { checkStrings } from '../layer/check-strings.js';

/** Where the files of initial states lie in a model's directory. */
const INITIAL_STATE_DIRECTORY = 'initial_state';

/** One for each state, without the batch dimension. @throws RuntimeError for a file that is not there or of the wrong size */
export async function readInitialState(
  { states }: SequenceConfig,
  directory: string,
): Promise<Tensor[]> {
  return Promise.all(states.map((state) => initialState(state, directory)));
}

// ---- details below; callers need not read ----

async function initialState(
  { inputName: name, dataType, initial }: StateSpec,
  directory: string,
): Promise<Tensor> {
  const { dims: shape, filename } = initial;
  // Strings are empty: their lengths, in four bytes each, are zero.
  const size = elementCount(shape) * (elementBytes(dataType) || 4);
  if (filename === undefined) return { name, dataType, shape, data: new Uint8Array(size) };
  const path = join(directory, INITIAL_STATE_DIRECTORY, filename);
  const data = await read(path);
  const tensor = { name, dataType, shape, data };
  const problem =
    dataType === 'BYTES' ? textProblem(tensor) : sizeProblem(size, data.byteLength, path);
  if (problem === undefined) return tensor;
  throw new RuntimeError('INVALID_ARGUMENT', `initial state of '${name}' ${problem}`);
}

function sizeProblem(expected: number, got: number, path: string): string | undefined {
  return got === expected ? undefined : `expects ${expected} bytes, but ${path} has ${got}`;
}

/** In the raw form of the protocol, as clients send strings. */
function textProblem(tensor: Tensor): string | undefined {
  const elements = elementCount(tensor.shape);
  return checkStrings(tensor, { elements, model: '', textOnly: true })
    ? `expects ${elements} strings of UTF-8 text, each after its length in four bytes`
    : undefined;
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'No such file or directory' : message;
    throw new RuntimeError('INTERNAL', `failed to open text file for read ${path}: ${reason}`);
  }
}
