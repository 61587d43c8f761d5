// An ensemble = observe > validate > steps, each a leg to a model by its name.

import { compileModelConfig } from '../config/model-config.js';
import { configOrigins } from '../config/config-origins.js';
import { InvalidModelConfig } from '../config/config-problem.js';
import { ensembleConfig, type EnsembleConfig } from '../config/ensemble-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import { bug } from '../core/errors.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import { stack } from '../core/servable.js';
import { observe } from '../layer/observe.js';
import { validateInputs } from '../layer/validate-inputs.js';
import { planEnsemble, type EnsemblePlan, type StepPlan } from '../pipeline/ensemble-plan.js';
import { Ensemble } from '../pipeline/ensemble.js';
import { ModelRef } from '../pipeline/model-ref.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { partModel, servedPart } from './part-model.js';
import { PipelineVersion } from './pipeline-version.js';
import { servedModel } from './served-model.js';

const NO_TENSORS = { inputs: [], outputs: [] };

/** The models it asks serve and fit (check-pipeline). @throws RuntimeError that says what is wrong with it */
export async function assembleEnsemble(
  parts: AssemblyParts,
  options: AssemblyOptions,
  { description, version }: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const { message, written, directory } = description;
  InvalidModelConfig.check(validateTensors(message));
  const scheduling = ensembleConfig(message);
  if (!scheduling) throw bug(`model '${description.name}' is no ensemble`);
  const stages = [written, { message, origin: 'default' as const }];
  const config = {
    ...compileModelConfig(message, NO_TENSORS),
    configOrigins: () => configOrigins(stages),
  };
  const statistics = new ModelStatistics(options);
  const targets = targetsOf(parts, scheduling);
  const isOptional = optionalInputs(parts, scheduling);
  const plan = planEnsemble(scheduling, { ...config, isOptional });
  const ensemble = new Ensemble({
    ...{ name: config.name, version: String(version), batched: config.batched },
    ...{ plan, targets, statistics, clock: parts.clock },
  });
  const layers = [observe(statistics, parts.clock), validateInputs(config, { textOnly: false })];
  const model = await servedModel(config, directory, { version, statistics });
  const pipeline = nodeOf(plan, targets);
  return new PipelineVersion(Object.freeze({ ...model, pipeline }), stack(layers, ensemble));
}

// ---- details below; callers need not read ----

function targetsOf(
  { catalog, clock, wheel }: AssemblyParts,
  { steps }: EnsembleConfig,
): LegTarget[] {
  return steps.map(({ model }, index) => ({
    ...{ name: `step ${index}`, clock, wheel },
    servable: new ModelRef(catalog, model),
    figures: new LegFigures(),
  }));
}

function optionalInputs(
  { catalog }: AssemblyParts,
  { steps }: EnsembleConfig,
): (step: number, input: string) => boolean {
  const optional = steps.map(({ model }) => {
    const { inputs } = partModel(servedPart(catalog, model).configMessage);
    return new Set(inputs.filter((input) => input.optional).map(({ name }) => name));
  });
  return (step, input) => optional[step]!.has(input);
}

function nodeOf({ steps }: EnsemblePlan, targets: readonly LegTarget[]): PipelineNode {
  const children = steps.map(({ config, reads }, index): PipelineNode => {
    const { model, timeoutMs, continues } = config;
    const isSource = ({ writes }: StepPlan): boolean =>
      writes.some(({ slot }) => reads.some((read) => read.slot === slot));
    return {
      ...{ kind: 'step', name: String(index), model, figures: targets[index]!.figures },
      settings: {
        ...(timeoutMs !== Infinity && { timeout: `${timeoutMs} ms` }),
        ...(continues && { on_error: 'CONTINUE' }),
      },
      after: steps.flatMap((step, at) => (isSource(step) ? [String(at)] : [])),
      children: [],
    };
  });
  return { kind: 'ensemble', name: '', children };
}
