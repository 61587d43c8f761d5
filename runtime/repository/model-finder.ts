// Finds the directory of a model, in the repositories or in what a load call brought, and describes it. Why it cannot goes to
// the observer in full; callers get Triton's text.

import { InvalidModelConfig } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { LoadOverride } from '../core/model-control.js';
import { pollFailed } from './load-failure.js';
import type { LoadObserver } from './load-observer.js';
import { describeModel, type ModelDescription } from './model-description.js';
import {
  findModel,
  listRepositories,
  type ModelDirectory,
  type RepositoryListing,
} from './model-source.js';
import { OverrideFiles } from './override-files.js';

export interface ModelFinderOptions {
  readonly repositories: readonly string[];
  readonly hasGpu: boolean;
  readonly autoComplete?: boolean | undefined;
  readonly hasResponseCache?: boolean | undefined;
}

export const NO_DIRECTORY = 'no model repository has a directory of that name';
export const TWO_DIRECTORIES = 'model appears in two or more repositories';
const NO_CONFIG = "load parameters 'file:…' need the parameter 'config'";

export class ModelFinder {
  readonly #options: ModelFinderOptions;
  readonly #observer: LoadObserver;
  /** As far as it has been looked at last. Looks may overlap: what began later is the newer one, whichever is done first. */
  #listing = new Map<string, readonly ModelDirectory[]>();
  #began = 0;
  /** When the look at everything began that the listing is from. */
  #listedAt = 0;
  /** Looks at everything that are under way. */
  #underWay = 0;
  /** When the last look at a single model began; kept only while a look at everything is under way. */
  readonly #looks = new Map<string, number>();
  /** Models whose files came with the load call. */
  readonly #brought = new Set<string>();

  constructor(options: ModelFinderOptions, observer: LoadObserver) {
    this.#options = options;
    this.#observer = observer;
  }

  /** Whether a repository had a directory of that name when last looked. */
  isListed(name: string): boolean {
    return this.#listing.has(name);
  }

  /** Whether more than one repository had. */
  isListedTwice(name: string): boolean {
    return (this.#listing.get(name)?.length ?? 0) > 1;
  }

  /** All there is. */
  async list(): Promise<RepositoryListing> {
    const began = ++this.#began;
    this.#underWay++;
    try {
      const listing = new Map(await listRepositories(this.#options.repositories));
      if (began > this.#listedAt) this.#take(listing, began);
      return listing;
    } finally {
      if (--this.#underWay === 0) this.#looks.clear();
    }
  }

  /** What the index shows, sorted: what has a directory now, and of `known` what a load call brought. Triton: the former alone. */
  async shown(known: readonly string[]): Promise<string[]> {
    const listing = await this.list();
    return [
      ...new Set([...listing.keys(), ...known.filter((name) => this.#brought.has(name))]),
    ].sort();
  }

  /** Looks for one model and at no other. */
  async find(name: string): Promise<readonly ModelDirectory[]> {
    const began = ++this.#began;
    const directories = await findModel(this.#options.repositories, name);
    if (began < Math.max(this.#looks.get(name) ?? 0, this.#listedAt)) return directories;
    if (this.#underWay > 0) this.#looks.set(name, began);
    put(this.#listing, name, directories);
    return directories;
  }

  /**
   * The caller releases the files of the load call, if the description has any.
   * @throws RuntimeError whose cause says what is wrong with the directory; without a cause there is none
   */
  async describe(name: string, override?: LoadOverride): Promise<ModelDescription> {
    if (!override || override.files.size === 0) {
      const description = await this.#described(await this.#directoryOf(name), override?.config);
      this.#brought.delete(name);
      return description;
    }
    if (override.config === undefined) throw this.#unreadable(name, NO_CONFIG);
    const files = await OverrideFiles.write(override.files);
    try {
      const description = await this.#described({ name, path: files.path }, override.config);
      this.#brought.add(name);
      return { ...description, overrideFiles: files };
    } catch (error) {
      await files.release();
      throw error;
    }
  }

  // ---- details below; callers need not read ----

  /** But for models that have been looked at since it began. */
  #take(listing: Map<string, readonly ModelDirectory[]>, began: number): void {
    for (const [name, at] of this.#looks)
      if (at > began) put(listing, name, this.#listing.get(name) ?? []);
    this.#listing = listing;
    this.#listedAt = began;
  }

  async #directoryOf(name: string): Promise<ModelDirectory> {
    const directories = await this.find(name);
    // Who calls for a model that is nowhere is told so, and it is no fault of the server's that belongs into its log.
    if (directories.length === 0) throw pollFailed(name);
    if (directories.length > 1) throw this.#unreadable(name, TWO_DIRECTORIES);
    return directories[0]!;
  }

  async #described(
    directory: ModelDirectory,
    configOverride: string | undefined,
  ): Promise<ModelDescription> {
    const { hasGpu, autoComplete, hasResponseCache } = this.#options;
    try {
      const options = { hasGpu, autoComplete, hasResponseCache, configOverride };
      return await describeModel(directory, options);
    } catch (error) {
      if (!(error instanceof InvalidModelConfig)) throw RuntimeError.from(error);
      this.#observer.modelUnreadable(directory.name, error.problems);
      throw pollFailed(directory.name, error);
    }
  }

  #unreadable(name: string, message: string): RuntimeError {
    const problem = { path: '', message };
    this.#observer.modelUnreadable(name, [problem]);
    return pollFailed(name, new InvalidModelConfig([problem]));
  }
}

function put(
  listing: Map<string, readonly ModelDirectory[]>,
  name: string,
  directories: readonly ModelDirectory[],
): void {
  if (directories.length > 0) listing.set(name, directories);
  else listing.delete(name);
}
