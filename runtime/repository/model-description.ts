// A model directory as it is read before anything is loaded: its configuration, completed as far as that goes without the
// model, and the versions it wants served.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalText } from '../config/canonical-text.js';
import { ONNX_FILENAME, completeModelConfig } from '../config/complete-model-config.js';
import type { ConfigStage } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import {
  parseJsonModelConfig,
  parseModelConfig,
  type ParsedModelConfig,
} from '../config/parse-model-config.js';
import { ineffectiveSettings } from '../config/unserved-settings.js';
import { validateModelConfig } from '../config/validate-model-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import {
  fingerprint,
  fingerprintOfFiles,
  readVersions,
  type ModelDirectory,
} from './model-source.js';
import type { OverrideFiles } from './override-files.js';
import { versionsToServe } from './version-policy.js';

export interface ModelDescription {
  readonly name: string;
  readonly directory: string;
  /** What somebody wrote, and where. */
  readonly written: ConfigStage;
  /** Completed, still without what only the model can tell. */
  readonly message: ModelConfigMessage;
  /** Somebody has written a configuration: there is a config.pbtxt, or the load call brought one. */
  readonly hasConfigFile: boolean;
  /** To be served, ascending; may be empty. */
  readonly versions: readonly number[];
  /** By version: what it is to be loaded from. Covers the configuration, labels and the files of the version. */
  readonly sources: ReadonlyMap<number, VersionSource>;
  /** The files are those of a load call; who loads from them must hold them. */
  readonly overrideFiles?: OverrideFiles;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/** What a version is loaded from, as texts to compare. */
export interface VersionSource {
  /** Of its files and its configuration, but for what can change while it serves. */
  readonly fingerprint: string;
  /** Of what can change while it serves: instance groups, and the version policy, which is only shown. */
  readonly inPlace: string;
}

export interface DescriptionOptions {
  readonly hasGpu: boolean;
  /** Whether the model completes what is not written; true unless said. Where not, the configuration must be whole as it is read. */
  readonly autoComplete?: boolean | undefined;
  /** Whether models that ask for one have a response cache; false unless said. */
  readonly hasResponseCache?: boolean | undefined;
  /** A configuration as JSON that stands in for config.pbtxt. */
  readonly configOverride?: string | undefined;
}

const CONFIG_FILENAME = 'config.pbtxt';
const NO_CONFIG_FILE =
  'there is no config.pbtxt, which --disable-auto-complete-config asks of every model';

/** @throws InvalidModelConfig with everything that is wrong with the configuration */
export async function describeModel(
  { name, path }: ModelDirectory,
  { hasGpu, autoComplete = true, hasResponseCache = false, configOverride }: DescriptionOptions,
): Promise<ModelDescription> {
  const { parsed, hasConfigFile } = await readConfig(path, configOverride);
  const { versions, ignored } = await readVersions(path);
  const firstVersionFiles =
    versions.length > 0 ? await readdir(join(path, String(versions[0]))) : [];
  const message = completeModelConfig(parsed.message, { name, firstVersionFiles, hasGpu });
  InvalidModelConfig.check(parsed.problems);
  if (!hasConfigFile && !autoComplete) throw layoutProblem(NO_CONFIG_FILE);
  if (!hasConfigFile) checkLayout(name, versions, firstVersionFiles);
  InvalidModelConfig.check(validateModelConfig(message, name));
  if (!autoComplete) InvalidModelConfig.check(validateTensors(message));
  const served = versionsToServe(message.version_policy, versions);
  return {
    name,
    directory: path,
    written: {
      message: parsed.message,
      origin: configOverride === undefined ? 'file' : 'load call',
    },
    message,
    hasConfigFile,
    versions: served,
    sources: await sourcesOf(path, served, { message, hasConfigFile }),
    warnings: [
      ...ignored.map((entry) => `directory '${entry}' is ignored: not a version number`),
      ...ineffectiveSettings(message, { hasResponseCache }),
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

async function readConfig(
  path: string,
  override: string | undefined,
): Promise<{ parsed: ParsedModelConfig; hasConfigFile: boolean }> {
  if (override !== undefined)
    return { parsed: parseJsonModelConfig(override), hasConfigFile: true };
  const text = await readConfigFile(path);
  return { parsed: parseModelConfig(text ?? ''), hasConfigFile: text !== undefined };
}

async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(path, CONFIG_FILENAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const message = error instanceof Error ? error.message : String(error);
    throw new InvalidModelConfig([
      { path: '', message: `config.pbtxt cannot be read: ${message}` },
    ]);
  }
}

async function sourcesOf(
  path: string,
  versions: readonly number[],
  { message, hasConfigFile }: Pick<ModelDescription, 'message' | 'hasConfigFile'>,
): Promise<Map<number, VersionSource>> {
  const { instance_group: groups, version_policy: policy, ...fixed } = message;
  const inPlace = canonicalText({ groups, policy });
  const shared = [
    // Instances may be made from it at any time.
    path,
    canonicalText({ hasConfigFile, fixed }),
    await fingerprintOfFiles(path, CONFIG_FILENAME),
  ].join(' ');
  const pairs = versions.map(async (version): Promise<[number, VersionSource]> => [
    version,
    { fingerprint: `${shared} ${await fingerprint(join(path, String(version)))}`, inPlace },
  ]);
  return new Map(await Promise.all(pairs));
}
