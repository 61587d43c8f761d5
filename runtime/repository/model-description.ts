// A model directory as it is read before anything is loaded: its configuration, completed as far as that goes without the
// model, and the versions it wants served.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ONNX_FILENAME, completeModelConfig } from '../config/complete-model-config.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { parseModelConfig } from '../config/parse-model-config.js';
import { ineffectiveSettings } from '../config/unserved-settings.js';
import { validateModelConfig } from '../config/validate-model-config.js';
import {
  fingerprint,
  fingerprintOfFiles,
  readVersions,
  type ModelDirectory,
} from './model-source.js';
import { versionsToServe } from './version-policy.js';

export interface ModelDescription {
  readonly name: string;
  readonly directory: string;
  /** Completed, still without what only the model can tell. */
  readonly message: ModelConfigMessage;
  /** config.pbtxt exists. */
  readonly hasConfigFile: boolean;
  /** To be served, ascending; may be empty. */
  readonly versions: readonly number[];
  /** By version; equal ones need no reload. Covers the configuration, labels and the files of the version. */
  readonly fingerprints: ReadonlyMap<number, string>;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** @throws InvalidModelConfig with everything that is wrong with the configuration */
export async function describeModel(
  { name, path }: ModelDirectory,
  { hasGpu }: { hasGpu: boolean },
): Promise<ModelDescription> {
  const text = await readConfigFile(path);
  const parsed = parseModelConfig(text ?? '');
  const { versions, ignored } = await readVersions(path);
  const firstVersionFiles =
    versions.length > 0 ? await readdir(join(path, String(versions[0]))) : [];
  const message = completeModelConfig(parsed.message, { name, firstVersionFiles, hasGpu });
  InvalidModelConfig.check(parsed.problems);
  if (text === undefined) checkLayout(name, versions, firstVersionFiles);
  InvalidModelConfig.check(validateModelConfig(message, name));
  const served = versionsToServe(message.version_policy, versions);
  return {
    name,
    directory: path,
    message,
    hasConfigFile: text !== undefined,
    versions: served,
    fingerprints: await fingerprintsOf(path, served),
    warnings: [
      ...ignored.map((entry) => `directory '${entry}' is ignored: not a version number`),
      ...ineffectiveSettings(message),
    ],
  };
}

/** What is most often wrong with a directory that has no configuration, said so that one sees what to do. */
function checkLayout(
  name: string,
  versions: readonly number[],
  firstVersionFiles: readonly string[],
): void {
  const expected = `expected ${name}/${versions[0] ?? 1}/${ONNX_FILENAME}`;
  if (versions.length === 0) throw layoutProblem(`there is no version directory; ${expected}`);
  if (firstVersionFiles.includes(ONNX_FILENAME)) return;
  const model = firstVersionFiles.find((file) => file.endsWith('.onnx'));
  const found = model
    ? `found ${model}: rename it, or name it as default_model_filename in config.pbtxt`
    : 'found no .onnx file';
  throw layoutProblem(`${expected}; ${found}`);
}

function layoutProblem(message: string): InvalidModelConfig {
  return new InvalidModelConfig([{ path: '', message }]);
}

async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(path, 'config.pbtxt'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const message = error instanceof Error ? error.message : String(error);
    throw new InvalidModelConfig([
      { path: '', message: `config.pbtxt cannot be read: ${message}` },
    ]);
  }
}

async function fingerprintsOf(
  path: string,
  versions: readonly number[],
): Promise<Map<number, string>> {
  const shared = await fingerprintOfFiles(path);
  const pairs = versions.map(async (version): Promise<[number, string]> => [
    version,
    `${shared} ${await fingerprint(join(path, String(version)))}`,
  ]);
  return new Map(await Promise.all(pairs));
}
