// What `inferd load` sends along: a configuration in text format or JSON, and files.

import type { LoadOptions } from 'inferd-client';
import { formatProblem } from '../config/config-problem.js';
import { InvalidOption } from '../config/invalid-option.js';
import { parseModelConfig } from '../config/parse-model-config.js';
import type { SubcommandIo } from './subcommand-io.js';

export interface OverrideOptions {
  readonly config?: string;
  /** "1/model.onnx=path". */
  readonly file: readonly string[];
}

/** @throws InvalidOption */
export async function loadOverride(
  models: readonly string[],
  options: OverrideOptions,
  io: SubcommandIo,
): Promise<Pick<LoadOptions, 'config' | 'files'>> {
  const { config: path, file: given } = options;
  if (path === undefined && given.length === 0) return {};
  if (models.length > 1) throw new InvalidOption('--config and --file are for one model');
  if (path === undefined)
    throw new InvalidOption(
      "--file needs --config: a model's files are replaced together with its configuration",
    );
  const config = configFrom((await read('--config', path, io)).toString('utf8'), path);
  const files = await Promise.all(given.map((text) => fileFrom(text, io)));
  return { config, files: Object.fromEntries(files) };
}

// ---- details below; callers need not read ----

/** As JSON, which is how the call takes it. Text format never begins with a brace. */
function configFrom(text: string, path: string): string {
  if (text.trimStart().startsWith('{')) {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new InvalidOption(`--config: ${path}: ${(error as Error).message}`);
    }
    return text;
  }
  const { message, problems } = parseModelConfig(text);
  if (problems.length > 0) {
    const lines = problems.map((problem) => formatProblem(problem).replace('config.pbtxt', path));
    throw new InvalidOption(`--config: ${lines.join('; ')}`);
  }
  return JSON.stringify(message);
}

async function fileFrom(given: string, io: SubcommandIo): Promise<readonly [string, Uint8Array]> {
  const [, name, path] = /^([^=]+)=(.+)$/s.exec(given) ?? [];
  if (name === undefined || path === undefined)
    throw new InvalidOption(`--file takes 1/model.onnx=FILE, got '${given}'`);
  return [name, await read('--file', path, io)];
}

async function read(option: string, path: string, io: SubcommandIo): Promise<Buffer> {
  try {
    return Buffer.from(await io.readFile(path));
  } catch (error) {
    throw new InvalidOption(`${option}: ${(error as Error).message}`);
  }
}
