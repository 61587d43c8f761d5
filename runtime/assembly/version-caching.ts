// Whether a version answers from the response cache, and what its answers are told apart by: the bytes of its files and its
// configuration, so that changed files never serve old answers and servers with equal files share theirs.

import { join } from 'node:path';
import { answerFromCache } from '../cache/answer-from-cache.js';
import type { ResponseCache } from '../cache/response-cache.js';
import { canonicalText } from '../config/canonical-text.js';
import type { ModelConfig } from '../config/model-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { CacheStat } from '../core/model-statistics.js';
import type { Layer } from '../core/servable.js';
import { contentDigest } from '../repository/content-digest.js';
import { fingerprint } from '../repository/model-source.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';

export class VersionCaching {
  readonly statistics: CacheStat;
  readonly #cache: ResponseCache;
  readonly #path: string;
  readonly #version: string;
  readonly #fingerprint: string;

  private constructor(
    cache: ResponseCache,
    files: { readonly path: string; readonly version: string; readonly fingerprint: string },
    statistics: CacheStat,
  ) {
    this.statistics = statistics;
    this.#cache = cache;
    this.#path = files.path;
    this.#version = files.version;
    this.#fingerprint = files.fingerprint;
  }

  /** To be called before the version is loaded. Undefined: it is not cached. */
  static async begin(
    { cache }: AssemblyParts,
    { summaries }: Pick<AssemblyOptions, 'summaries'>,
    { description, version }: { readonly description: ModelDescription; readonly version: number },
  ): Promise<VersionCaching | undefined> {
    if (!cache || description.message.response_cache?.enable !== true) return undefined;
    const path = join(description.directory, String(version));
    const files = { path, version: String(version), fingerprint: await fingerprint(path) };
    return new VersionCaching(cache, files, new CacheStat({ summaries }));
  }

  /** To be called when it is loaded: a layer around its scheduler. */
  async layer({ clock }: AssemblyParts, config: ModelConfig): Promise<Layer> {
    const files = await contentDigest(this.#path, this.#fingerprint);
    const content = `${files} ${canonicalText(answering(config.message))}`;
    const version = { modelName: config.name, modelVersion: this.#version, content };
    const { statistics } = this;
    return answerFromCache({ cache: this.#cache, version, statistics, clock });
  }
}

// ---- details below; callers need not read ----

/** What changes how many instances answer, and not what they answer, may differ between servers. */
function answering(message: ModelConfigMessage): Readonly<Record<string, unknown>> {
  return { ...message, instance_group: undefined, version_policy: undefined };
}
