// What answers when a model does not: another model, or the last good answer of the same one.

import type { Degradation, InferenceResponse } from '../core/inference.js';
import { LegFigures } from '../core/leg.js';
import { PipelineCounter, type ModelReference, type PipelineNode } from '../core/pipeline-node.js';
import type { Servable } from '../core/servable.js';
import { LastGoodAnswers, type AskedRows, type LastGoodOptions } from './last-good.js';
import { ExpectedTime } from './expected-time.js';
import type { TensorNames } from './tensor-names.js';

export type FallbackOptions = { readonly level: string } & (
  | { readonly model: ModelReference; readonly names: TensorNames; readonly lastGood?: undefined }
  | { readonly lastGood: LastGoodOptions; readonly model?: undefined }
);

export type FallbackTarget = ModelTarget | LastGoodTarget;

/** `rank`: 1 for the first. `ask`: the model by its name. */
export function fallbackTarget(
  options: FallbackOptions,
  rank: number,
  ask: (model: ModelReference) => Servable,
): FallbackTarget {
  const degradation = { level: options.level, rank };
  if (options.lastGood) return new LastGoodTarget(options.lastGood, degradation);
  return new ModelTarget(options, degradation, ask(options.model));
}

export class ModelTarget {
  readonly model: ModelReference;
  readonly names: TensorNames;
  readonly degradation: Degradation;
  readonly servable: Servable;
  readonly figures = new LegFigures();
  /** What most of its answers take. */
  readonly usualTime = new ExpectedTime(this.figures, 0.9);

  constructor(
    { model, names }: { readonly model: ModelReference; readonly names: TensorNames },
    degradation: Degradation,
    servable: Servable,
  ) {
    this.model = model;
    this.names = names;
    this.degradation = degradation;
    this.servable = servable;
  }

  /** Whether it is one of those "name:version" that have failed already. */
  isAmong(models: readonly string[]): boolean {
    const { name, version } = this.model;
    if (version > 0) return models.includes(`${name}:${version}`);
    return models.some((model) => model.startsWith(`${name}:`));
  }

  node(): PipelineNode {
    const { model, figures, degradation } = this;
    return {
      kind: 'fallback-target',
      name: String(degradation.rank - 1),
      model,
      figures,
      settings: { level: degradation.level },
      children: [],
    };
  }
}

export class LastGoodTarget {
  readonly degradation: Degradation;
  readonly #options: LastGoodOptions;
  readonly #answers: LastGoodAnswers;
  readonly #found = new PipelineCounter('last_good_answers');

  constructor(options: LastGoodOptions, degradation: Degradation) {
    this.degradation = degradation;
    this.#options = options;
    this.#answers = new LastGoodAnswers(options);
  }

  keep(asked: AskedRows, response: InferenceResponse, now: number): void {
    this.#answers.keep(asked, response, now);
  }

  find(asked: AskedRows, now: number): InferenceResponse | undefined {
    const response = this.#answers.find(asked, now);
    if (response) this.#found.value++;
    return response;
  }

  node(): PipelineNode {
    const { keyParameter, maxAgeMs } = this.#options;
    return {
      kind: 'fallback-target',
      name: String(this.degradation.rank - 1),
      counters: [this.#found],
      settings: {
        level: this.degradation.level,
        last_good: keyParameter,
        max_age: maxAgeMs === Infinity ? 'any' : `${maxAgeMs / 1000} s`,
      },
      children: [],
    };
  }
}
