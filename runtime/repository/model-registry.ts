// Every version the server has ever tried to load, and which of them serve. The data plane looks models up here; only the model
// manager changes it.

import { RuntimeError } from '../core/errors.js';
import type { ModelCatalog, ServableHandle, ServedModel } from '../core/model-catalog.js';
import { LATEST, parseModelVersion } from '../core/model-version.js';
import type { ModelLifecycle } from './model-lifecycle.js';
import type { ServingVersion } from './servable-handle.js';

/** All versions of one name. */
class RegisteredModel {
  /** What serves, or was last tried, by version. */
  readonly lifecycles = new Map<number, ModelLifecycle>();
  latest: ServingVersion | undefined;

  serving(version: number): ServingVersion | undefined {
    return this.lifecycles.get(version)?.serving;
  }

  ready(): ServingVersion[] {
    return [...this.lifecycles.keys()]
      .sort((a, b) => a - b)
      .flatMap((version) => this.serving(version) ?? []);
  }
}

export class ModelRegistry implements ModelCatalog {
  readonly #models = new Map<string, RegisteredModel>();
  /** Names of models that were there once. */
  readonly #forgotten = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #isListed: (name: string) => boolean;

  /** `isListed`: whether a repository has a model of that name. */
  constructor(isListed: (name: string) => boolean = () => false) {
    this.#isListed = isListed;
  }

  // ---- for the data plane ----

  acquire(name: string, version: string): ServableHandle {
    const model = this.#models.get(name);
    if (version === '' && model?.latest) return model.latest.acquire();
    const wanted = parseModelVersion(version);
    const serving = wanted === LATEST ? model?.latest : model?.serving(wanted);
    if (serving) return serving.acquire();
    if (this.#forgotten.has(name)) throw noneAvailable(name);
    throw notServing(name, wanted, model);
  }

  isReady(name: string, version: string): boolean {
    const wanted = parseModelVersion(version);
    const model = this.#models.get(name);
    return Boolean(wanted === LATEST ? model?.latest : model?.serving(wanted));
  }

  isKnown(name: string): boolean {
    return this.#models.has(name) || this.#isListed(name);
  }

  readyVersions(name: string): ServedModel[] {
    const models = name === '' ? [...this.#models.values()] : [this.#models.get(name)];
    return models.flatMap((model) => model?.ready() ?? []).map(({ model }) => model);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- for the model manager ----

  names(): string[] {
    return [...this.#models.keys()];
  }

  /** By version, ascending; undefined for a name that was never tried. */
  lifecycles(name: string): readonly ModelLifecycle[] | undefined {
    const model = this.#models.get(name);
    return model && [...model.lifecycles.values()].sort((a, b) => a.version - b.version);
  }

  /** The name has been tried, even if no version came of it. */
  know(name: string): void {
    this.#model(name);
  }

  /** Nothing of the model is left, neither in a repository nor in memory. */
  forget(name: string): void {
    if (this.#models.delete(name)) this.#forgotten.add(name);
    this.tellListeners();
  }

  /** Puts a lifecycle in the place of what its version had. What served there must be taken care of by the caller. */
  put(name: string, lifecycle: ModelLifecycle): void {
    this.#model(name).lifecycles.set(lifecycle.version, lifecycle);
  }

  /** After lifecycles of `name` have changed state: finds the latest version anew and tells the listeners. */
  changed(name: string): void {
    const model = this.#models.get(name);
    // A forgotten one may still have a version on its way out.
    if (model) model.latest = model.ready().at(-1);
    this.tellListeners();
  }

  tellListeners(): void {
    for (const listener of this.#listeners) listener();
  }

  #model(name: string): RegisteredModel {
    let model = this.#models.get(name);
    if (!model) this.#models.set(name, (model = new RegisteredModel()));
    this.#forgotten.delete(name);
    return model;
  }
}

function notServing(
  name: string,
  version: number,
  model: RegisteredModel | undefined,
): RuntimeError {
  const start = startOf(name);
  if (!model) return new RuntimeError('NOT_FOUND', `${start}is not found`);
  if (version === LATEST) return noneAvailable(name);
  if (!model.lifecycles.has(version))
    return new RuntimeError('NOT_FOUND', `${start}version ${version} is not found`);
  return new RuntimeError('MODEL_NOT_READY', `${start}version ${version} is not at ready state`);
}

function noneAvailable(name: string): RuntimeError {
  return new RuntimeError('NOT_FOUND', `${startOf(name)}has no available versions`);
}

function startOf(name: string): string {
  return `Request for unknown model: '${name}' `;
}
