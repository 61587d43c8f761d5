// The states with which sequences of a model begin, from the configuration and the files of its directory.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SequenceConfig, StateSpec } from '../config/sequence-config.js';
import { elementBytes } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { elementCount, type Tensor } from '../core/tensor.js';

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
  if (dataType !== 'BYTES' && data.byteLength !== size) {
    const text = `initial state of '${name}' expects ${size} bytes, but ${path} has ${data.byteLength}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  return { name, dataType, shape, data };
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
