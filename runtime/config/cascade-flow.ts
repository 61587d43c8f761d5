// What is written for a row on its way through a cascade, whichever way that is: a stage under CONTINUE may be passed without a result,
// and a row may leave after every stage that has rules.

import { isProvided } from './cascade-config.js';
import type { CascadeStageMessage, ModelConfigMessage } from './model-config-message.js';

/** Names of tensors. */
type Tensors = ReadonlySet<string>;

/** A way to be finished. */
export interface RowEnd {
  /** The rows that are, in words. */
  readonly who: string;
  /** What has been written for each of them. */
  readonly written: Tensors;
}

export interface CascadeFlow {
  readonly inputs: Tensors;
  /** By stage: what every row has that comes to it, and what every row has when it has answered. */
  readonly before: readonly Tensors[];
  readonly after: readonly Tensors[];
  readonly ends: readonly RowEnd[];
  /** What stages, rules or outputs read. */
  readonly used: Tensors;
  /** What is wrong with taking `tensor` where `written` is there; undefined: nothing. */
  missing(tensor: string, written: Tensors): string | undefined;
}

export function cascadeFlow({
  input,
  output,
  cascade_scheduling: cascade,
}: ModelConfigMessage): CascadeFlow {
  const stages = cascade?.stage ?? [];
  const inputs = new Set((input ?? []).map(({ name = '' }) => name));
  const writers = writersOf(stages);
  const before: Tensors[] = [];
  const after: Tensors[] = [];
  const ends: RowEnd[] = [];
  let certain: Tensors = inputs;
  stages.forEach((stage, index) => {
    before.push(certain);
    const written = new Set([...certain, ...Object.values(stage.output_map ?? {})]);
    after.push(written);
    if (index === stages.length - 1) ends.push({ who: 'rows that reach the last stage', written });
    else if (stage.exit_when?.length)
      ends.push({ who: `rows that are finished by stage ${index}`, written });
    if (stage.on_error !== 'CONTINUE') certain = written;
  });
  const outputs = (output ?? []).map(({ name = '' }) => name);
  return {
    ...{ inputs, before, after, ends },
    used: new Set([...stages.flatMap(readBy), ...outputs]),
    missing: (tensor, written) => (written.has(tensor) ? undefined : complaint(tensor, writers)),
  };
}

// ---- details below; callers need not read ----

/** By tensor, the stages that write it. */
type Writers = ReadonlyMap<string, readonly string[]>;

function writersOf(stages: readonly CascadeStageMessage[]): Writers {
  const writers = new Map<string, string[]>();
  stages.forEach(({ output_map: outputs = {}, on_error: onError }, index) => {
    for (const tensor of Object.values(outputs)) {
      const who = onError === 'CONTINUE' ? `${index} (which may fail)` : String(index);
      writers.set(tensor, [...(writers.get(tensor) ?? []), who]);
    }
  });
  return writers;
}

function readBy({ input_map: inputs = {}, exit_when: rules = [] }: CascadeStageMessage): string[] {
  return [...Object.values(inputs), ...rules.map(({ tensor = '' }) => tensor)];
}

function complaint(tensor: string, writers: Writers): string {
  if (isProvided(tensor)) return `'${tensor}', which is known only at the end`;
  const stages = writers.get(tensor);
  if (!stages) return `'${tensor}', which is no input and which no stage writes`;
  return `'${tensor}', which is written only by stage ${stages.join(' and ')}`;
}
