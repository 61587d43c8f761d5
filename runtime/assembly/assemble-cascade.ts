// A cascade = observe > validate > stages, each a leg, or several, to a model by its name.

import { cascadeConfig } from '../config/cascade-config.js';
import { configOrigins } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { compileModelConfig } from '../config/model-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import { bug } from '../core/errors.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { stack } from '../core/servable.js';
import { observe } from '../layer/observe.js';
import { validateInputs } from '../layer/validate-inputs.js';
import { Cascade } from '../pipeline/cascade.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { PipelineVersion } from './pipeline-version.js';
import { servedModel } from './served-model.js';

const NO_TENSORS = { inputs: [], outputs: [] };

/** The models of its stages serve and fit (check-pipeline). @throws RuntimeError that says what is wrong with it */
export async function assembleCascade(
  { catalog, clock, wheel }: AssemblyParts,
  options: AssemblyOptions,
  { description, version }: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const { message, written, directory } = description;
  InvalidModelConfig.check(validateTensors(message));
  const cascade = cascadeConfig(message);
  if (!cascade) throw bug(`model '${description.name}' is no cascade`);
  const config = {
    ...compileModelConfig(message, NO_TENSORS),
    configOrigins: () => configOrigins([written, { message, origin: 'default' }]),
  };
  const statistics = new ModelStatistics(options);
  const servable = new Cascade({
    ...{ catalog, clock, wheel, statistics, config, cascade },
    version: String(version),
  });
  const model = await servedModel(config, directory, { version, statistics });
  const layers = [observe(statistics, clock), validateInputs(config, { textOnly: false })];
  const pipeline = servable.node;
  return new PipelineVersion(Object.freeze({ ...model, pipeline }), stack(layers, servable));
}
