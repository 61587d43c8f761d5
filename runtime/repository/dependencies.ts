// Which models ask which others: of every model that shall serve and asks others, its last description. Who depends on a model is
// served only while that model is, and comes back with it.

import { dependenciesOf } from '../config/model-dependencies.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import { canonicalText } from '../config/canonical-text.js';
import type { ModelReference } from '../core/pipeline-node.js';
import type { ModelDescription, VersionSource } from './model-description.js';

export interface DependencyParts {
  readonly catalog: ModelCatalog;
  /** Why a model does not serve; '' when nobody knows. */
  readonly failureOf: (name: string) => string;
}

export class Dependencies {
  readonly #parts: DependencyParts;
  readonly #wanted = new Map<string, ModelDescription>();

  constructor(parts: DependencyParts) {
    this.#parts = parts;
  }

  /** It shall serve from now on. */
  want(description: ModelDescription): void {
    const { name, message } = description;
    if (dependenciesOf(message).length > 0) this.#wanted.set(name, description);
    else this.#wanted.delete(name);
  }

  /** It shall not serve any more. */
  forget(name: string): void {
    this.#wanted.delete(name);
  }

  wanted(name: string): ModelDescription | undefined {
    return this.#wanted.get(name);
  }

  /** Models that cannot serve without `name`. */
  dependentsOf(name: string): string[] {
    return [...this.#wanted.values()]
      .filter((description) => required(description).some((part) => part.name === name))
      .map((description) => description.name);
  }

  /** @throws RuntimeError when the model depends on itself, by way of others or at once */
  checkCycle(name: string): void {
    const last = this.#lastOfCycle(name, name, new Set());
    if (last === undefined) return;
    const text = `circular dependency between ensembles: ${name} -> ... -> ${last} -> ${name}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** @throws RuntimeError with Triton's text when a model it cannot serve without is not there */
  checkAvailable(description: ModelDescription): void {
    const { name, message } = description;
    const kind = message.platform === 'cascade' ? 'cascade' : 'ensemble';
    const parts = required(description);
    const { catalog, failureOf } = this.#parts;
    const unknown = new Set(parts.filter((part) => !catalog.isKnown(part.name)).map((p) => p.name));
    if (unknown.size > 0) {
      const names = [...unknown].join(', ');
      const text = `${kind} ${name} contains models that are not available or ambiguous: ${names}`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
    for (const { name: part, version } of parts) {
      const start = `${kind} '${name}' depends on '${part}'`;
      const ready = catalog.readyVersions(part);
      if (ready.length === 0) {
        const failure = failureOf(part);
        const why = failure === '' ? '' : ` Model '${part}' loading failed with error: ${failure}`;
        throw new RuntimeError('INVALID_ARGUMENT', `${start} which has no loaded version.${why}`);
      }
      if (version === 0 || ready.some((model) => model.version === version)) continue;
      const text = `${start} whose required version ${version} is not loaded`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }
  }

  /** The description, which from now on also differs where the tensors of its parts do. */
  withParts(description: ModelDescription): ModelDescription {
    const parts = required(description);
    if (parts.length === 0) return description;
    const tensors = canonicalText(parts.map((part) => this.#tensorsOf(part)));
    const sources = [...description.sources].map(([version, source]): [number, VersionSource] => [
      version,
      { ...source, fingerprint: `${source.fingerprint} ${tensors}` },
    ]);
    return { ...description, sources: new Map(sources) };
  }

  // ---- details below; callers need not read ----

  /** The model that closes a circle of requirements from `name` back to `start`. */
  #lastOfCycle(start: string, name: string, seen: Set<string>): string | undefined {
    const description = this.#wanted.get(name);
    if (!description || seen.has(name)) return undefined;
    seen.add(name);
    for (const part of required(description)) {
      if (part.name === start) return name;
      const last = this.#lastOfCycle(start, part.name, seen);
      if (last !== undefined) return last;
    }
    return undefined;
  }

  #tensorsOf({ name, version }: ModelReference): unknown {
    const ready = this.#parts.catalog.readyVersions(name);
    const model = ready.findLast((one) => version === 0 || one.version === version);
    if (!model) return { name };
    const { input, output, max_batch_size: size } = model.configMessage;
    return { name, input, output, size };
  }
}

function required({ message }: ModelDescription): ModelReference[] {
  return dependenciesOf(message).filter((part) => part.required);
}
