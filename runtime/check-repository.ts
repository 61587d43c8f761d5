// `inferd check`: every model of a repository as a server would load it, one version after the other, and none of them served.
// Where one problem would hide others from a server that gives up, this goes on. Models that ask others come after those.

import { checkModel, modelAssembler } from './assembly/assemble-model.js';
import { pipelineCheck } from './assembly/check-pipeline.js';
import type {
  CheckFinding,
  CheckOptions,
  CheckRepository,
  RepositoryCheck,
} from './cli/repository-check.js';
import { InvalidModelConfig } from './config/config-problem.js';
import { dependenciesOf } from './config/model-dependencies.js';
import type { ServerOptions } from './config/server-options.js';
import { systemClock } from './core/clock.js';
import { RuntimeError } from './core/errors.js';
import type { Log } from './core/log.js';
import { TimerWheel } from './core/timer-wheel.js';
import { ExecutorThreads } from './instance/executor-threads.js';
import { hasCudaGpu } from './instance/gpu-detection.js';
import { Dependencies } from './repository/dependencies.js';
import { readLabels } from './repository/label-file.js';
import { NO_VERSION } from './repository/load-failure.js';
import { readModelCard } from './repository/model-card.js';
import { describeModel, type ModelDescription } from './repository/model-description.js';
import { ModelLifecycle } from './repository/model-lifecycle.js';
import { ModelRegistry } from './repository/model-registry.js';
import { listRepositories, type ModelDirectory } from './repository/model-source.js';
import {
  ServingVersion,
  type LoadVersion,
  type LoadedVersion,
} from './repository/servable-handle.js';

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
    const names = new Set<string>();
    const registry = new ModelRegistry((name) => names.has(name));
    const parts = {
      threads,
      clock: systemClock,
      wheel: new TimerWheel(systemClock),
      log: SILENT,
      catalog: registry,
    };
    const settings = { hasResponseCache: options.responseCache !== undefined };
    const assembly = { ...options, ...settings, hasGpu: hasCudaGpu(), summaries: false };
    const loadVersion = modelAssembler(parts, assembly);
    const check = new Check(how, assembly, { loadVersion, registry, names });
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

interface CheckParts {
  readonly loadVersion: LoadVersion;
  /** Versions that could be opened, closed again. */
  readonly registry: ModelRegistry;
  /** Of the models of the repository. */
  readonly names: Set<string>;
}

class Check {
  readonly #how: CheckOptions;
  readonly #settings: Settings;
  readonly #parts: CheckParts;
  readonly #dependencies: Dependencies;
  readonly #problems: CheckFinding[] = [];
  readonly #warnings: CheckFinding[] = [];
  #versions = 0;

  constructor(how: CheckOptions, settings: Settings, parts: CheckParts) {
    this.#how = how;
    this.#settings = settings;
    this.#parts = parts;
    this.#dependencies = new Dependencies({ catalog: parts.registry, failureOf: () => '' });
  }

  async repository(directory: string): Promise<RepositoryCheck> {
    const listing = await listRepositories([directory]);
    if (listing.size === 0)
      this.#problems.push({ model: '', path: '', message: `${directory} has no model directory` });
    for (const name of listing.keys()) this.#parts.names.add(name);
    const wholes = new Map<string, ModelDescription>();
    for (const [model] of listing.values()) {
      const description = await this.#described(model!);
      if (!description) continue;
      if (dependenciesOf(description.message).length > 0) wholes.set(model!.name, description);
      else await this.#model(description);
    }
    await this.#wholes(wholes);
    return {
      models: listing.size,
      versions: this.#versions,
      problems: this.#problems,
      warnings: this.#warnings,
    };
  }

  /** Each after those of them that it asks; of a circle, in any order. */
  async #wholes(wholes: Map<string, ModelDescription>): Promise<void> {
    for (const description of wholes.values()) this.#dependencies.want(description);
    while (wholes.size > 0) {
      const waits = ({ message }: ModelDescription): boolean =>
        dependenciesOf(message).some(({ name }) => wholes.has(name));
      const [first] = wholes.values();
      const next = [...wholes.values()].find((description) => !waits(description)) ?? first!;
      wholes.delete(next.name);
      await this.#model(next);
    }
  }

  async #described(directory: ModelDirectory): Promise<ModelDescription | undefined> {
    const model = directory.name;
    this.#how.progress(model);
    const description = await this.#tried({ model }, () =>
      describeModel(directory, this.#settings),
    );
    for (const message of description?.warnings ?? [])
      this.#warnings.push({ model, path: '', message });
    return description;
  }

  async #model(description: ModelDescription): Promise<void> {
    const { name: model, versions } = description;
    this.#warnOfFallbacks(description);
    if (versions.length === 0) this.#problems.push({ model, path: '', message: NO_VERSION });
    this.#versions += versions.length;
    const readable = await this.#withoutBadLabels(description);
    // What does not depend on the version is told once.
    const isSound = await this.#succeeds({ model }, async () => {
      this.#checkParts(readable);
      await checkModel(readable);
    });
    for (const version of versions) await this.#version(readable, version, isSound);
  }

  /** A server tries them only when they are needed, and may have further repositories. */
  #warnOfFallbacks({ name: model, message }: ModelDescription): void {
    for (const { name, required } of dependenciesOf(message)) {
      if (required || this.#parts.names.has(name)) continue;
      const text = `there is no model '${name}' to fall back on in this repository`;
      this.#warnings.push({ model, path: 'resilience.fallback', message: text });
    }
  }

  /** Whether it fits the models it asks. @throws RuntimeError */
  #checkParts(description: ModelDescription): void {
    this.#dependencies.checkCycle(description.name);
    this.#dependencies.checkKnown(description);
    if (this.#how.configOnly) return;
    this.#dependencies.checkAvailable(description);
    pipelineCheck(this.#parts.registry)(description);
  }

  async #version(description: ModelDescription, version: number, isSound: boolean): Promise<void> {
    const where = { model: description.name, version };
    this.#how.progress(`${where.model} ${version}`);
    await this.#tried(where, () => readModelCard(description, version));
    if (this.#how.configOnly || !isSound) return;
    const loaded = await this.#tried(where, () =>
      this.#parts.loadVersion(once(description), version),
    );
    if (loaded) this.#opened(description, loaded);
    await loaded?.close();
  }

  /** Models that ask it find it, and look at nothing but its configuration. */
  #opened(description: ModelDescription, loaded: LoadedVersion): void {
    const { name, sources } = description;
    const { version } = loaded.model;
    const lifecycle = new ModelLifecycle(version, sources.get(version)!);
    lifecycle.transition({ kind: 'loading' });
    lifecycle.transition({ kind: 'ready', serving: new ServingVersion(loaded, description) });
    this.#parts.registry.put(name, lifecycle);
    this.#parts.registry.changed(name);
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
