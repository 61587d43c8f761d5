// A ModelCatalog that a test fills: it counts what is taken from it and given back.

import { RuntimeError } from '../core/errors.js';
import type { ModelCatalog, ServableHandle, ServedModel } from '../core/model-catalog.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { Servable } from '../core/servable.js';

export function aServedModel(overrides: Partial<ServedModel> = {}): ServedModel {
  return {
    name: 'm',
    version: 1,
    platform: 'onnxruntime_onnx',
    batched: true,
    inputs: [{ name: 'INPUT0', dataType: 'FP32', shape: [-1, 2] }],
    outputs: [{ name: 'OUTPUT0', dataType: 'FP32', shape: [-1, 2] }],
    labels: new Map(),
    configMessage: { name: 'm' },
    statistics: new ModelStatistics(),
    ...overrides,
  };
}

const silent: Servable = { infer: (_request, _call, reply) => reply.end() };

export class FakeCatalog implements ModelCatalog {
  /** "name:version" of every call of acquire. */
  readonly acquired: string[] = [];
  released = 0;
  readonly #models: { readonly model: ServedModel; readonly servable: Servable }[] = [];
  readonly #known = new Set<string>();
  readonly #listeners = new Set<() => void>();

  /** The model is ready. */
  serve(model: ServedModel, servable: Servable = silent): this {
    this.#models.push({ model, servable });
    this.#known.add(model.name);
    return this;
  }

  /** The model is there, and no version of it is ready. */
  know(name: string): this {
    this.#known.add(name);
    return this;
  }

  /** No version of the model is ready any more. */
  withdraw(name: string): void {
    const rest = this.#models.filter(({ model }) => model.name !== name);
    this.#models.splice(0, this.#models.length, ...rest);
  }

  /** Tells the listeners. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  acquire(name: string, version: string): ServableHandle {
    this.acquired.push(`${name}:${version}`);
    const found = this.#find(name, version);
    if (!found)
      throw new RuntimeError('NOT_FOUND', `Request for unknown model: '${name}' is not found`);
    return { ...found, release: () => (this.released += 1) };
  }

  isReady(name: string, version: string): boolean {
    return this.#find(name, version) !== undefined;
  }

  isKnown(name: string): boolean {
    return this.#known.has(name);
  }

  readyVersions(name: string): readonly ServedModel[] {
    return this.#models
      .map(({ model }) => model)
      .filter((model) => name === '' || model.name === name);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find(
    name: string,
    version: string,
  ): { readonly model: ServedModel; readonly servable: Servable } | undefined {
    return this.#models.findLast(
      ({ model }) => model.name === name && (version === '' || String(model.version) === version),
    );
  }
}
