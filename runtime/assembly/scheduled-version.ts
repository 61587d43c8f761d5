// One version of a model that serves from instances of its own: its layers, its scheduler, its instances.

import { instanceCount, instanceGroupsOf } from '../config/instance-group-config.js';
import type { ModelConfig } from '../config/model-config.js';
import type { RuntimeError } from '../core/errors.js';
import type { ServedModel } from '../core/model-catalog.js';
import { stack, type Layer, type Servable } from '../core/servable.js';
import type { Instances } from '../instance/instances.js';
import { observe } from '../layer/observe.js';
import { validateInputs } from '../layer/validate-inputs.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyParts } from './assembly-parts.js';
import type { CompletedConfig } from './complete-onnx-config.js';
import type { ModelScheduler } from './create-scheduler.js';
import { modelResilience } from './model-resilience.js';

export interface ScheduledVersionParts {
  readonly config: ModelConfig;
  readonly instances: Omit<Instances, 'run'>;
  readonly scheduler: ModelScheduler;
  readonly model: ServedModel;
  /** BYTES must be text. */
  readonly textOnly: boolean;
  /** The configuration of a description that differs in its instance groups alone. */
  readonly complete: (description: ModelDescription) => Promise<CompletedConfig>;
  /** Around the scheduler; undefined: answers are not cached. */
  readonly cached: Layer | undefined;
}

export class ScheduledVersion implements LoadedVersion {
  readonly servable: Servable;
  readonly #instances: ScheduledVersionParts['instances'];
  readonly #scheduler: ModelScheduler;
  readonly #complete: ScheduledVersionParts['complete'];
  #model: ServedModel;
  #loss: RuntimeError | undefined;
  #onLost: (error: RuntimeError) => void = () => undefined;

  constructor(assembly: AssemblyParts, parts: ScheduledVersionParts) {
    const { config, instances: runner, model, cached } = parts;
    const { statistics } = model;
    statistics.instances = runner.size;
    const { name, version } = model;
    const resilience = modelResilience(config.resilience, assembly, {
      model,
      inside: model.pipeline ?? {
        kind: 'model',
        name: '',
        model: { name, version },
        children: [],
      },
    });
    this.#instances = runner;
    this.#model = resilience ? Object.freeze({ ...model, pipeline: resilience.node }) : model;
    this.#complete = parts.complete;
    this.#scheduler = parts.scheduler;
    const layers = [
      observe(statistics, assembly.clock),
      validateInputs(config, { textOnly: parts.textOnly }),
      ...(resilience?.layers ?? []),
      ...(cached ? [cached] : []),
    ];
    this.servable = stack(layers, this.#scheduler);
    runner.onLost((error) => this.#lost(error));
    runner.onRefused?.((error) => this.#scheduler.refuseWaiting(error));
  }

  get model(): ServedModel {
    return this.#model;
  }

  async update(description: ModelDescription): Promise<ServedModel> {
    const { message, configOrigins } = await this.#complete(description);
    const groups = instanceGroupsOf(message);
    await this.#instances.update(groups);
    this.#scheduler.resize?.(instanceCount(groups));
    this.#model.statistics.instances = this.#instances.size;
    this.#model = Object.freeze({ ...this.#model, configMessage: message, configOrigins });
    return this.#model;
  }

  onLost(listener: (error: RuntimeError) => void): void {
    this.#onLost = listener;
    if (this.#loss) listener(this.#loss);
  }

  async close(): Promise<void> {
    this.#scheduler.close();
    await this.#instances.close();
  }

  // ---- details below; callers need not read ----

  /** Nobody will run what waits. */
  #lost(error: RuntimeError): void {
    this.#loss = error;
    this.#scheduler.close(error);
    this.#onLost(error);
  }
}
