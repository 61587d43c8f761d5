// One version of a model that asks other models: its layers and its pipeline, and nothing to start or to end.
//
//   observe > validate (> policies) > the pipeline

import { configOrigins } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { compileModelConfig } from '../config/model-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import type { ServedModel } from '../core/model-catalog.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import { stack, type Servable } from '../core/servable.js';
import { observe } from '../layer/observe.js';
import { validateInputs } from '../layer/validate-inputs.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import type { CompletedConfig } from './complete-onnx-config.js';
import { modelResilience } from './model-resilience.js';
import { servedModel } from './served-model.js';

export interface PipelineParts {
  readonly config: CompletedConfig;
  readonly version: string;
  readonly statistics: ModelStatistics;
}

/** The pipeline itself, and the tree by which people see it. */
export interface MadePipeline {
  readonly servable: Servable;
  readonly node: PipelineNode;
}

/** `make`: the pipeline from its compiled configuration. @throws InvalidModelConfig */
export async function startPipeline(
  parts: AssemblyParts,
  options: AssemblyOptions,
  what: {
    readonly description: ModelDescription;
    readonly version: number;
    readonly make: (parts: PipelineParts) => MadePipeline;
  },
): Promise<LoadedVersion> {
  const { description, version, make } = what;
  const config = pipelineConfig(description);
  const statistics = new ModelStatistics(options);
  const { servable, node } = make({ config, version: String(version), statistics });
  const model = await servedModel(config, description.directory, { version, statistics });
  const resilience = modelResilience(config.resilience, parts, { model, inside: node });
  const layers = [
    observe(statistics, parts.clock),
    validateInputs(config, { textOnly: false }),
    ...(resilience?.layers ?? []),
  ];
  const decoupled = description.message.model_transaction_policy?.decoupled === true;
  const seen = Object.freeze({ ...model, decoupled, pipeline: resilience?.node ?? node });
  return new PipelineVersion(seen, stack(layers, servable));
}

// ---- details below; callers need not read ----

/** Its tensors are what its configuration says. */
function pipelineConfig({ message, written }: ModelDescription): CompletedConfig {
  InvalidModelConfig.check(validateTensors(message));
  const config = compileModelConfig(message, { inputs: [], outputs: [] });
  return {
    ...config,
    configOrigins: () => configOrigins([written, { message, origin: 'default' }]),
  };
}

class PipelineVersion implements LoadedVersion {
  readonly servable: Servable;
  #model: ServedModel;

  constructor(model: ServedModel, servable: Servable) {
    this.#model = model;
    this.servable = servable;
  }

  get model(): ServedModel {
    return this.#model;
  }

  /** The version policy is all that can change while it serves. */
  update({ message }: ModelDescription): Promise<ServedModel> {
    this.#model = Object.freeze({ ...this.#model, configMessage: message });
    return Promise.resolve(this.#model);
  }

  onLost(): void {
    // It has no instances that could be lost.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
