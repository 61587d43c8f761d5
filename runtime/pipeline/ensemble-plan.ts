// PURE: the steps of an ensemble as a graph over numbered tensors, worked out once. At run time there is nothing left to look up.

import type { EnsembleConfig, PartConfig } from '../config/ensemble-config.js';
import { stepsBehind } from '../config/steps-behind.js';
import type { RequestedOutput } from '../core/inference.js';
import { flowBounds, type FlowBounds } from './flow-pace.js';

/** A tensor of a step's model and the slot it is read from or written to. */
export interface SlotLink {
  readonly part: string;
  readonly slot: number;
}

export interface StepPlan {
  /** Among the steps. */
  readonly index: number;
  /** Its model answers any number of times. */
  readonly isDecoupled: boolean;
  /** Of its answers, if it is. */
  readonly flows: FlowBounds;
  readonly config: PartConfig;
  readonly reads: readonly (SlotLink & { readonly optional: boolean })[];
  readonly writes: readonly SlotLink[];
  /** What the model is asked for. */
  readonly outputs: readonly RequestedOutput[];
}

export interface NamedSlot {
  readonly name: string;
  readonly slot: number;
}

export interface EnsemblePlan {
  /** Number of tensors. */
  readonly slots: number;
  readonly inputs: readonly NamedSlot[];
  readonly outputs: readonly NamedSlot[];
  readonly steps: readonly StepPlan[];
  /** By slot: the steps that read it, once for each time they do. */
  readonly readers: readonly (readonly number[])[];
  /** By step: how many tensors it reads, at least one. */
  readonly reads: readonly number[];
  /** Answers of decoupled steps of one request that each step works on at once; Infinity: any number, or there are none. */
  readonly maxInflight: number;
}

export interface PlannedTensors {
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
  /** Whether the input of the step's model may be left out. */
  isOptional(step: number, input: string): boolean;
  isDecoupled(step: number): boolean;
}

/** The configuration must have been checked (validate-ensemble, check-parts). */
export function planEnsemble(config: EnsembleConfig, tensors: PlannedTensors): EnsemblePlan {
  const slots = new Map<string, number>();
  const slotOf = (name: string): number => {
    const slot = slots.get(name) ?? slots.size;
    slots.set(name, slot);
    return slot;
  };
  const named = ({ name }: { readonly name: string }): NamedSlot => ({ name, slot: slotOf(name) });
  const inputs = tensors.inputs.map(named);
  const outputs = tensors.outputs.map(named);
  const hasStream = config.steps.some((_, index) => tensors.isDecoupled(index));
  const maxInflight = hasStream ? config.maxInflight : Infinity;
  const steps = config.steps.map((step, index) => ({
    ...{ config: step, index, isDecoupled: tensors.isDecoupled(index) },
    flows: flowBounds(maxInflight, stepsBehind(index, config.steps).size),
    reads: step.inputs.map(({ part, whole }) => ({
      ...{ part, slot: slotOf(whole) },
      optional: tensors.isOptional(index, part),
    })),
    writes: step.outputs.map(({ part, whole }) => ({ part, slot: slotOf(whole) })),
    outputs: step.outputs.map(({ part }) => ({ name: part, classCount: 0 })),
  }));
  const readers: number[][] = Array.from({ length: slots.size }, () => []);
  steps.forEach(({ reads }, index) => {
    for (const { slot } of reads) readers[slot]!.push(index);
  });
  const counts = steps.map(({ reads }) => reads.length);
  return { slots: slots.size, inputs, outputs, steps, readers, reads: counts, maxInflight };
}

/** By step: whether any of these slots needs it. */
export function stepsFor(plan: EnsemblePlan, slots: readonly number[]): boolean[] {
  const needed = plan.steps.map(() => false);
  const wanted = [...slots];
  for (let slot = wanted.pop(); slot !== undefined; slot = wanted.pop()) {
    plan.steps.forEach(({ reads, writes }, index) => {
      if (needed[index] || !writes.some((write) => write.slot === slot)) return;
      needed[index] = true;
      for (const read of reads) wanted.push(read.slot);
    });
  }
  return needed;
}
