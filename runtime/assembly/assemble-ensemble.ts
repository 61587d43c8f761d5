// An ensemble = observe > validate (> policies) > steps, each a leg to a model by its name.

import { ensembleConfig, type EnsembleConfig } from '../config/ensemble-config.js';
import { bug } from '../core/errors.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import {
  planEnsemble,
  type EnsemblePlan,
  type PlannedTensors,
  type StepPlan,
} from '../pipeline/ensemble-plan.js';
import { Ensemble } from '../pipeline/ensemble.js';
import { ModelRef } from '../pipeline/model-ref.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { partModel, servedPart } from './part-model.js';
import { startPipeline } from './pipeline-version.js';

/** The models it asks serve and fit (check-pipeline). @throws RuntimeError that says what is wrong with it */
export function assembleEnsemble(
  parts: AssemblyParts,
  options: AssemblyOptions,
  what: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const { message, name } = what.description;
  const scheduling = ensembleConfig(message);
  if (!scheduling) throw bug(`model '${name}' is no ensemble`);
  return startPipeline(parts, options, {
    ...what,
    make: ({ config, version, statistics }) => {
      const targets = targetsOf(parts, scheduling);
      const plan = planEnsemble(scheduling, { ...config, ...partsOf(parts, scheduling) });
      const servable = new Ensemble({
        ...{ name: config.name, version, batched: config.batched },
        ...{ plan, targets, statistics, clock: parts.clock },
      });
      return { servable, node: nodeOf(plan, targets) };
    },
  });
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

function partsOf(
  { catalog }: AssemblyParts,
  { steps }: EnsembleConfig,
): Pick<PlannedTensors, 'isOptional' | 'isDecoupled'> {
  const parts = steps.map(({ model }) => {
    const { configMessage, decoupled = false } = servedPart(catalog, model);
    const optional = partModel(configMessage).inputs.filter((input) => input.optional);
    return { decoupled, optional: new Set(optional.map(({ name }) => name)) };
  });
  return {
    isOptional: (step, input) => parts[step]!.optional.has(input),
    isDecoupled: (step) => parts[step]!.decoupled,
  };
}

function nodeOf({ steps }: EnsemblePlan, targets: readonly LegTarget[]): PipelineNode {
  const children = steps.map(({ config, reads, isDecoupled }, index): PipelineNode => {
    const { model, timeoutMs, continues } = config;
    const isSource = ({ writes }: StepPlan): boolean =>
      writes.some(({ slot }) => reads.some((read) => read.slot === slot));
    return {
      ...{ kind: 'step', name: String(index), model, figures: targets[index]!.figures },
      settings: {
        ...(timeoutMs !== Infinity && { timeout: `${timeoutMs} ms` }),
        ...(continues && { on_error: 'CONTINUE' }),
        ...(isDecoupled && { decoupled: 'true' }),
      },
      after: steps.flatMap((step, at) => (isSource(step) ? [String(at)] : [])),
      children: [],
    };
  });
  return { kind: 'ensemble', name: '', children };
}
