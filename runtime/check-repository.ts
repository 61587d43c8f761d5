// `inferd check`: every model of a repository as a server would load it, one version after the other, and none of them served.
// Where one problem would hide others from a server that gives up, this goes on.

import { checkModel, modelAssembler } from './assembly/assemble-model.js';
import type {
  CheckFinding,
  CheckOptions,
  CheckRepository,
  RepositoryCheck,
} from './cli/repository-check.js';
import { InvalidModelConfig } from './config/config-problem.js';
import type { ServerOptions } from './config/server-options.js';
import { systemClock } from './core/clock.js';
import { RuntimeError } from './core/errors.js';
import type { Log } from './core/log.js';
import { TimerWheel } from './core/timer-wheel.js';
import { ExecutorThreads } from './instance/executor-threads.js';
import { hasCudaGpu } from './instance/gpu-detection.js';
import { readLabels } from './repository/label-file.js';
import { readModelCard } from './repository/model-card.js';
import { describeModel, type ModelDescription } from './repository/model-description.js';
import { ModelRegistry } from './repository/model-registry.js';
import { listRepositories, type ModelDirectory } from './repository/model-source.js';
import type { LoadVersion } from './repository/servable-handle.js';

/** Errors only: what is wrong comes with the failure of the load. */
const ORT_LOG_LEVEL = 4;

const ignore = (): void => undefined;

/** What requests would say, and there are none. */
const SILENT: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** As CheckRepository, for a server with these options. */
export async function checkRepository(
  directory: string,
  how: CheckOptions,
  options: ServerOptions,
): ReturnType<CheckRepository> {
  const threads = new ExecutorThreads({
    maxThreads: 1,
    settings: { ortLogLevel: ORT_LOG_LEVEL },
    clock: systemClock,
    died: () => undefined,
  });
  try {
    const parts = {
      threads,
      clock: systemClock,
      wheel: new TimerWheel(systemClock),
      log: SILENT,
      catalog: new ModelRegistry(),
    };
    const settings = { hasResponseCache: options.responseCache !== undefined };
    const assembly = { ...options, ...settings, hasGpu: hasCudaGpu(), summaries: false };
    const check = new Check(how, assembly, modelAssembler(parts, assembly));
    return await check.repository(directory);
  } finally {
    await threads.close();
  }
}

// ---- details below; callers need not read ----

interface Settings {
  readonly autoComplete: boolean;
  readonly hasGpu: boolean;
  readonly hasResponseCache: boolean;
}

class Check {
  readonly #how: CheckOptions;
  readonly #settings: Settings;
  readonly #loadVersion: LoadVersion;
  readonly #problems: CheckFinding[] = [];
  readonly #warnings: CheckFinding[] = [];
  #versions = 0;

  constructor(how: CheckOptions, settings: Settings, loadVersion: LoadVersion) {
    this.#how = how;
    this.#settings = settings;
    this.#loadVersion = loadVersion;
  }

  async repository(directory: string): Promise<RepositoryCheck> {
    const listing = await listRepositories([directory]);
    if (listing.size === 0)
      this.#problems.push({ model: '', path: '', message: `${directory} has no model directory` });
    for (const [model] of listing.values()) await this.#model(model!);
    return {
      models: listing.size,
      versions: this.#versions,
      problems: this.#problems,
      warnings: this.#warnings,
    };
  }

  async #model(directory: ModelDirectory): Promise<void> {
    const model = directory.name;
    this.#how.progress(model);
    const description = await this.#tried({ model }, () =>
      describeModel(directory, this.#settings),
    );
    if (!description) return;
    for (const message of description.warnings) this.#warnings.push({ model, path: '', message });
    if (description.versions.length === 0)
      this.#problems.push({ model, path: '', message: 'it has no version to serve' });
    this.#versions += description.versions.length;
    const readable = await this.#withoutBadLabels(description);
    // What does not depend on the version is told once.
    const isSound = await this.#succeeds({ model }, () => checkModel(readable, this.#settings));
    for (const version of description.versions) await this.#version(readable, version, isSound);
  }

  async #version(description: ModelDescription, version: number, isSound: boolean): Promise<void> {
    const where = { model: description.name, version };
    this.#how.progress(`${where.model} ${version}`);
    await this.#tried(where, () => readModelCard(description, version));
    if (this.#how.configOnly || !isSound) return;
    const loaded = await this.#tried(where, () => this.#loadVersion(once(description), version));
    await loaded?.close();
  }

  /** A label file that cannot be read would keep the model from being opened. */
  async #withoutBadLabels(description: ModelDescription): Promise<ModelDescription> {
    const { name: model, directory, message } = description;
    const bad = new Set<string>();
    for (const [index, { label_filename: filename = '' }] of (message.output ?? []).entries()) {
      if (filename === '') continue;
      const where = { model, path: `output[${index}].label_filename` };
      if (!(await this.#succeeds(where, () => readLabels(directory, filename)))) bad.add(filename);
    }
    if (bad.size === 0) return description;
    const output = message.output?.map((tensor) =>
      bad.has(tensor.label_filename ?? '') ? { ...tensor, label_filename: '' } : tensor,
    );
    return { ...description, message: { ...message, output: output ?? [] } };
  }

  async #succeeds(where: Where, work: () => Promise<unknown>): Promise<boolean> {
    return (await this.#tried(where, async () => ({ done: await work() }))) !== undefined;
  }

  /** Undefined: what is wrong has been noted. */
  async #tried<T>(where: Where, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const found =
        error instanceof InvalidModelConfig
          ? error.problems
          : [{ path: '', ...where, message: RuntimeError.from(error).message }];
      this.#problems.push(...found.map((problem) => ({ ...where, ...problem })));
      return undefined;
    }
  }
}

/** Where a problem is, as far as it does not say so itself. */
type Where = Pick<CheckFinding, 'model' | 'version'> & { readonly path?: string };

/** One instance of each group is enough to know. */
function once(description: ModelDescription): ModelDescription {
  const groups = description.message.instance_group?.map((group) => ({ ...group, count: 1 }));
  return {
    ...description,
    message: { ...description.message, ...(groups && { instance_group: groups }) },
  };
}
