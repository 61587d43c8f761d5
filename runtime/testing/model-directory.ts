// A model repository on disk for tests of the control plane; what loads from it is a puppet.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeError } from '../core/errors.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { Servable } from '../core/servable.js';
import type { LoadObserver } from '../repository/load-observer.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';

export class TestRepository {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<TestRepository> {
    return new TestRepository(await mkdtemp(join(tmpdir(), 'repository-')));
  }

  async write(file: string, content = ''): Promise<void> {
    const path = join(this.path, file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
  }

  /** A model with these versions and, if given, this configuration. */
  async model(name: string, versions: readonly number[], config?: string): Promise<void> {
    for (const version of versions)
      await this.write(`${name}/${version}/model.onnx`, `${name} ${version}`);
    if (config !== undefined) await this.write(`${name}/config.pbtxt`, config);
  }

  /** As ensembleText. */
  async ensemble(name: string, parts: readonly string[], more = ''): Promise<void> {
    await this.model(name, [1], `${ensembleText(parts)} ${more}`);
  }

  async remove(file = ''): Promise<void> {
    await rm(join(this.path, file), { recursive: true });
  }
}

/** Its steps stand side by side; a part is a name, or a name and a version such as "m:2". */
export function ensembleText(parts: readonly string[]): string {
  const tensor = (name: string): string => `{ name: "${name}" data_type: TYPE_FP32 dims: 1 }`;
  const steps = parts.map((part, at) => {
    const [name = '', version = '-1'] = part.split(':');
    return `{ model_name: "${name}" model_version: ${version} input_map { key: "I" value: "I" } output_map { key: "O" value: "O${at}" } }`;
  });
  return `platform: "ensemble" input [ ${tensor('I')} ] output [ ${parts.map((_, at) => tensor(`O${at}`)).join(', ')} ]
    ensemble_scheduling { step [ ${steps.join(', ')} ] }`;
}

const silent: Servable = { infer: (_request, _call, reply) => reply.end() };

/** Loads whatever it is told to; versions in `broken` fail. */
export class PuppetLoads {
  readonly log: string[] = [];
  readonly broken = new Map<string, RuntimeError>();
  /** Ends the instances of a version for good. */
  readonly lose = new Map<string, (error: RuntimeError) => void>();
  /** Loads wait for this. */
  gate: Promise<void> = Promise.resolve();

  readonly loadVersion = async (
    { name }: ModelDescription,
    version: number,
  ): Promise<LoadedVersion> => {
    const id = `${name}:${version}`;
    this.log.push(`load ${id}`);
    await this.gate;
    const error = this.broken.get(id);
    if (error) throw error;
    const model = {
      name,
      version,
      platform: 'puppet',
      batched: false,
      inputs: [],
      outputs: [],
      labels: new Map(),
      configMessage: {},
      statistics: new ModelStatistics(),
    };
    return {
      model,
      servable: silent,
      update: ({ message }) => {
        this.log.push(`update ${id}`);
        return Promise.resolve({ ...model, configMessage: message });
      },
      onLost: (listener) => void this.lose.set(id, listener),
      close: () => {
        this.log.push(`close ${id}`);
        return Promise.resolve();
      },
    };
  };
}

export const silentObserver: LoadObserver = {
  modelLoading: () => undefined,
  modelWarning: () => undefined,
  modelUnreadable: () => undefined,
  versionLoading: () => undefined,
  versionReady: () => undefined,
  versionFailed: () => undefined,
  versionUpdated: () => undefined,
  versionEjected: () => undefined,
  versionUnloaded: () => undefined,
};
