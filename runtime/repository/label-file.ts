// Class names for the classification extension: a text file in the model directory, one name per line.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../core/errors.js';

/** @throws RuntimeError INTERNAL with Triton's text when the file cannot be read */
export async function readLabels(directory: string, filename: string): Promise<string[]> {
  const path = join(directory, filename);
  try {
    return linesOf(await readFile(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'No such file or directory' : String(error);
    throw new RuntimeError('INTERNAL', `failed to open text file for read ${path}: ${reason}`);
  }
}

/** Undefined when there is no such file. */
export async function readLabelsIfAny(
  directory: string,
  filename: string,
): Promise<string[] | undefined> {
  try {
    return linesOf(await readFile(join(directory, filename), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
