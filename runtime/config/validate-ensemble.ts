// Checks the steps of an ensemble as far as that goes without the models they name: every problem at once. The texts are Triton's
// (ValidateEnsembleSchedulingConfig), stray quotes included, as clients and operators match on them. A model with such a problem
// cannot be polled.

import type { ConfigProblem } from './config-problem.js';
import type { EnsembleSchedulingMessage, ModelConfigMessage } from './model-config-message.js';

export function ensembleProblems(message: ModelConfigMessage): ConfigProblem[] {
  const { name = '', platform = '', backend = '', ensemble_scheduling: scheduling } = message;
  if (!scheduling) {
    // With a backend it is no ensemble, which is told elsewhere.
    if (platform !== 'ensemble' || backend !== '') return [];
    const text = `ensemble scheduling must be set for ensemble ${name} whose platform is ensemble`;
    return [{ path: 'ensemble_scheduling', message: text }];
  }
  if (platform !== 'ensemble') {
    const text = `ensemble scheduling cannot be set for model '${name}' whose platform is not ensemble`;
    return [{ path: 'ensemble_scheduling', message: text }];
  }
  const steps = [...stepProblems(name, scheduling), ...sourceProblems(message, scheduling)];
  return [
    ...foreignProblems(message),
    ...steps,
    // What flows where can only be said of steps that are whole.
    ...(steps.length === 0 ? flowProblems(message, scheduling) : []),
  ];
}

// ---- details below; callers need not read ----

/** What belongs to models that run themselves. */
function foreignProblems(message: ModelConfigMessage): ConfigProblem[] {
  const fields: [field: string, verb: string, isSet: boolean][] = [
    ['instance_group', 'instance group should', Boolean(message.instance_group?.length)],
    ['optimization', 'optimization should', message.optimization !== undefined],
    ['model_warmup', 'model_warmup can', Boolean(message.model_warmup?.length)],
  ];
  return fields.flatMap(([path, what, isSet]) => {
    if (!isSet) return [];
    return [{ path, message: `${what} not be specified for ensemble '${message.name ?? ''}'` }];
  });
}

function stepProblems(
  name: string,
  { step: steps = [] }: EnsembleSchedulingMessage,
): ConfigProblem[] {
  if (steps.length === 0) {
    return [
      { path: 'ensemble_scheduling.step', message: `must specify 'step' for ensemble '${name}'` },
    ];
  }
  return steps.flatMap((step, index) => {
    const path = `ensemble_scheduling.step[${index}]`;
    const missing = (field: string): ConfigProblem => ({
      path: `${path}.${field}`,
      message: `must specify '${field}' in step ${index} of ensemble '${name}'`,
    });
    return [
      ...(step.model_name ? [] : [missing('model_name')]),
      ...(isEmpty(step.input_map) ? [missing('input_map')] : []),
      ...(isEmpty(step.output_map) ? [missing('output_map')] : []),
    ];
  });
}

/** A tensor has one source: an input of the ensemble, or one output of one step. */
function sourceProblems(
  { name = '', input: inputs = [] }: ModelConfigMessage,
  { step: steps = [] }: EnsembleSchedulingMessage,
): ConfigProblem[] {
  const written = new Set(inputs.map((input) => input.name ?? ''));
  return steps.flatMap((step, index) =>
    Object.values(step.output_map ?? {}).flatMap((tensor) => {
      if (!written.has(tensor)) {
        written.add(tensor);
        return [];
      }
      const text = `ensemble tensor '${tensor}' can appear in an output map only once for ensemble '${name}' step ${index}`;
      return [{ path: `ensemble_scheduling.step[${index}].output_map`, message: text }];
    }),
  );
}

/** Who reads and who writes the tensors of the ensemble. */
class Flow {
  readonly #steps: readonly { readonly reads: string[]; readonly writes: string[] }[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Tensors that are there once everything that can run has run. */
  readonly reached: ReadonlySet<string>;

  constructor(message: ModelConfigMessage, { step: steps = [] }: EnsembleSchedulingMessage) {
    this.inputs = (message.input ?? []).map(({ name = '' }) => name);
    this.outputs = (message.output ?? []).map(({ name = '' }) => name);
    this.#steps = steps.map(({ input_map: reads = {}, output_map: writes = {} }) => ({
      reads: Object.values(reads),
      writes: Object.values(writes),
    }));
    this.reached = this.#reach();
  }

  get tensors(): readonly string[] {
    const all = this.#steps.flatMap(({ reads, writes }) => [...reads, ...writes]);
    return [...new Set([...this.inputs, ...all])];
  }

  isRead(tensor: string): boolean {
    return this.#steps.some(({ reads }) => reads.includes(tensor));
  }

  isNamed(tensor: string): boolean {
    return this.isRead(tensor) || this.#writers(tensor).length > 0;
  }

  /** A tensor that keeps `tensor` from being written: itself not reached, and read by a step on the way. */
  obstacle(tensor: string, seen = new Set<string>()): string {
    seen.add(tensor);
    const missing = this.#writers(tensor)
      .flatMap(({ reads }) => reads)
      .filter((read) => !this.reached.has(read));
    const next = missing.find((read) => !seen.has(read));
    return next === undefined ? (missing[0] ?? tensor) : this.obstacle(next, seen);
  }

  #writers(tensor: string): readonly { readonly reads: string[] }[] {
    return this.#steps.filter(({ writes }) => writes.includes(tensor));
  }

  #reach(): Set<string> {
    const reached = new Set(this.inputs);
    const waiting = new Set(this.#steps);
    for (let before = -1; before !== reached.size;) {
      before = reached.size;
      for (const step of waiting) {
        if (!step.reads.every((tensor) => reached.has(tensor))) continue;
        for (const tensor of step.writes) reached.add(tensor);
        waiting.delete(step);
      }
    }
    return reached;
  }
}

function flowProblems(
  message: ModelConfigMessage,
  scheduling: EnsembleSchedulingMessage,
): ConfigProblem[] {
  const { name = '' } = message;
  const flow = new Flow(message, scheduling);
  const path = 'ensemble_scheduling';
  const problems: ConfigProblem[] = [];
  flow.inputs.forEach((input, index) => {
    if (flow.isRead(input)) return;
    const text = `ensemble input '${input}' for ensemble ${name}' is not used`;
    problems.push({ path: `input[${index}]`, message: text });
  });
  flow.outputs.forEach((output, index) => {
    if (flow.reached.has(output)) return;
    const text = flow.isNamed(output)
      ? `output '${output}' for ensemble '${name}' is not written: at least one of its depending tensors, ` +
        `'${flow.obstacle(output)}', is not connected`
      : `ensemble output '${output}' for ensemble ${name}' is not used`;
    problems.push({ path: `output[${index}]`, message: text });
  });
  for (const tensor of flow.tensors) {
    if (flow.inputs.includes(tensor) || flow.outputs.includes(tensor)) continue;
    if (flow.reached.has(tensor) && flow.isRead(tensor)) continue;
    problems.push({ path, message: `ensemble tensor '${tensor}' is unused in ensemble '${name}'` });
  }
  return problems;
}

function isEmpty(map: Readonly<Record<string, string>> | undefined): boolean {
  return Object.keys(map ?? {}).length === 0;
}
