// Which models ask which others: of every model that shall serve and asks others, what is wanted of it, and what serves, which is
// older where the wanted could not be served. Who requires a model is served only while that model is, and comes back with it.

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
  readonly #served = new Map<string, ModelDescription>();

  constructor(parts: DependencyParts) {
    this.#parts = parts;
  }

  /** It shall serve from now on. Returns what was wanted of this name before. */
  want(description: ModelDescription): ModelDescription | undefined {
    const { name, message } = description;
    const before = this.#wanted.get(name);
    if (dependenciesOf(message).length > 0) this.#wanted.set(name, description);
    else this.#wanted.delete(name);
    return before;
  }

  /** What is wanted of it serves. */
  serves(name: string): void {
    const wanted = this.#wanted.get(name);
    if (wanted) this.#served.set(name, wanted);
    else this.#served.delete(name);
  }

  /** It shall not serve any more. Returns what was wanted of it. */
  forget(name: string): ModelDescription | undefined {
    const wanted = this.#wanted.get(name);
    this.#wanted.delete(name);
    this.#served.delete(name);
    return wanted;
  }

  wanted(name: string): ModelDescription | undefined {
    return this.#wanted.get(name);
  }

  /** What serves, where that is not what is wanted. */
  older(name: string): ModelDescription | undefined {
    const served = this.#served.get(name);
    return served === this.#wanted.get(name) ? undefined : served;
  }

  /** Whether a model that shall serve, or serves, asks `name`. */
  isAsked(name: string): boolean {
    return this.#whoAsks(name, () => true).size > 0;
  }

  /** Whether `whole` cannot serve without `part`, which it asks itself. */
  requires(whole: string, part: string): boolean {
    return this.#whoAsks(part, isRequired).has(whole);
  }

  /**
   * Models that cannot serve without `part`, at once or by way of others, each after those of them that it asks. Without `except`
   * and what depends on `part` only by way of it.
   */
  behind(part: string, except = ''): string[] {
    const order: string[] = [];
    const seen = new Set([part, except]);
    const visit = (name: string): void => {
      for (const whole of this.#whoAsks(name, isRequired)) {
        if (seen.has(whole)) continue;
        seen.add(whole);
        visit(whole);
        order.unshift(whole);
      }
    };
    visit(part);
    return order;
  }

  /** Whether `part` asks `whole`, at once or by way of others, required or not. */
  leadsTo(part: string, whole: string): boolean {
    return this.#lastBefore(whole, part, { seen: new Set(), counts: () => true }) !== undefined;
  }

  /** @throws RuntimeError when the model requires itself, at once or by way of others */
  checkCycle(name: string): void {
    const last = this.#lastBefore(name, name, { seen: new Set(), counts: isRequired });
    if (last === undefined) return;
    const text = `circular dependency between ensembles: ${name} -> ... -> ${last} -> ${name}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** @throws RuntimeError with Triton's text when a model it cannot serve without is nowhere */
  checkKnown(description: ModelDescription): void {
    const { catalog } = this.#parts;
    const names = required(description).map((part) => part.name);
    const unknown = new Set(names.filter((name) => !catalog.isKnown(name)));
    if (unknown.size === 0) return;
    const text =
      `${kindOf(description)} ${description.name} contains models that are not available or ambiguous: ` +
      [...unknown].join(', ');
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** @throws RuntimeError with Triton's text when a model it cannot serve without does not serve */
  checkAvailable(description: ModelDescription): void {
    this.checkKnown(description);
    const { catalog, failureOf } = this.#parts;
    for (const { name: part, version } of required(description)) {
      const start = `${kindOf(description)} '${description.name}' depends on '${part}'`;
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

  #whoAsks(part: string, counts: (dependency: Dependency) => boolean): Set<string> {
    const wholes = new Set<string>();
    for (const { name, message } of [...this.#wanted.values(), ...this.#served.values()]) {
      const asks = dependenciesOf(message).some((one) => one.name === part && counts(one));
      if (asks && name !== part) wholes.add(name);
    }
    return wholes;
  }

  /** The model that comes last on a way from `name` to `end`, of one step at least. */
  #lastBefore(end: string, name: string, way: Way): string | undefined {
    const description = this.#wanted.get(name);
    if (!description || way.seen.has(name)) return undefined;
    way.seen.add(name);
    for (const part of dependenciesOf(description.message)) {
      if (!way.counts(part)) continue;
      const last = part.name === end ? name : this.#lastBefore(end, part.name, way);
      if (last !== undefined) return last;
    }
    return undefined;
  }

  #tensorsOf({ name, version }: ModelReference): unknown {
    const ready = this.#parts.catalog.readyVersions(name);
    const model = ready.findLast((one) => version === 0 || one.version === version);
    if (!model) return { name };
    const { input, output, max_batch_size: size } = model.configMessage;
    const { decoupled = false } = model;
    return { name, input, output, size, ...(decoupled && { decoupled }) };
  }
}

type Dependency = ReturnType<typeof dependenciesOf>[number];

interface Way {
  readonly seen: Set<string>;
  readonly counts: (dependency: Dependency) => boolean;
}

function isRequired(dependency: Dependency): boolean {
  return dependency.required;
}

function kindOf({ message }: ModelDescription): string {
  return message.platform === 'cascade' ? 'cascade' : 'ensemble';
}

function required({ message }: ModelDescription): ModelReference[] {
  return dependenciesOf(message).filter(isRequired);
}
