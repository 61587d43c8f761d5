// Checks sequence_batching as far as that goes without the model. Texts: Triton's (ValidateModelConfig and the control properties
// of its sequence batcher).

import type { ConfigProblem } from './config-problem.js';
import type {
  Int64,
  ModelConfigMessage,
  SequenceBatchingMessage,
  SequenceControlMessage,
  SequenceStateMessage,
} from './model-config-message.js';

export function sequenceProblems(message: ModelConfigMessage): ConfigProblem[] {
  const { name = '', sequence_batching: batching } = message;
  if (!batching) return [];
  const problems = [
    ...strategyProblems(batching, message.max_batch_size ?? 0),
    ...controlProblems(batching),
    ...(batching.state ?? []).flatMap(stateProblems),
    ...doubledStateProblems(batching),
  ];
  return problems.map(([path, text, hint = '']) => ({
    path: `sequence_batching.${path}`,
    message: `${text} for ${name}${hint}`,
  }));
}

// ---- details below; callers need not read ----

/** A place within sequence_batching, what is wrong there, and what else to say of it. */
type Complaint = readonly [path: string, text: string, hint?: string];

function strategyProblems(
  { direct, oldest }: SequenceBatchingMessage,
  maxBatchSize: number,
): Complaint[] {
  const complaints: Complaint[] = [];
  const utilization = direct?.minimum_slot_utilization ?? 0;
  if (!(utilization >= 0 && utilization <= 1))
    complaints.push([
      'direct.minimum_slot_utilization',
      'sequence batching minimum slot utilization must be in range (0.0, 1.0]',
    ]);
  oldest?.preferred_batch_size?.forEach((size, index) => {
    const path = `oldest.preferred_batch_size[${index}]`;
    if (size <= 0)
      complaints.push([path, 'sequence batching preferred batch size must be positive']);
    else if (size > maxBatchSize)
      complaints.push([path, 'sequence batching preferred batch size must be <= max batch size']);
  });
  return complaints;
}

interface Seen {
  readonly names: Set<string>;
  readonly kinds: Set<string>;
}

function controlProblems({ control_input: inputs = [] }: SequenceBatchingMessage): Complaint[] {
  const seen: Seen = { names: new Set(), kinds: new Set() };
  return inputs.flatMap((input, index) => [
    ...nameProblems(input, `control_input[${index}]`, seen),
    ...(input.control ?? []).flatMap((control) =>
      kindProblems(control, `control_input[${index}]`, seen),
    ),
  ]);
}

function nameProblems(
  { name = '', control = [] }: NonNullable<SequenceBatchingMessage['control_input']>[number],
  path: string,
  { names }: Seen,
): Complaint[] {
  if (name === '') return [[`${path}.name`, 'sequence batching control tensor must have a name']];
  const tensor = `sequence batching control tensor '${name}'`;
  if (control.length === 0) return [[path, `${tensor} has no 'control'`]];
  if (names.has(name) || control.length > 1)
    return [[path, `${tensor} is specified for multiple control kinds`]];
  names.add(name);
  return [];
}

function kindProblems(control: SequenceControlMessage, path: string, { kinds }: Seen): Complaint[] {
  const kind = control.kind ?? 'CONTROL_SEQUENCE_START';
  if (kinds.has(kind)) return [[path, `sequence batching specifies multiple ${kind} tensors`]];
  kinds.add(kind);
  return kind === CORRID ? idProblems(control, path) : valueProblems(control, { kind, path });
}

const CORRID = 'CONTROL_SEQUENCE_CORRID';
const ID_TYPES = ['TYPE_UINT64', 'TYPE_INT64', 'TYPE_UINT32', 'TYPE_INT32', 'TYPE_STRING'];
const VALUES = ['int32_false_true', 'fp32_false_true', 'bool_false_true'] as const;
const ANY_VALUES = "'int32_false_true', 'fp32_false_true' or 'bool_false_true'";

function idProblems(control: SequenceControlMessage, path: string): Complaint[] {
  if (VALUES.some((field) => control[field]?.length))
    return [[path, `sequence batching must not specify either ${ANY_VALUES} for ${CORRID}`]];
  if (ID_TYPES.includes(control.data_type ?? '')) return [];
  const allowed = `${ID_TYPES.slice(0, -1).join(', ')} and ${ID_TYPES.at(-1)!}`;
  const hint = `. Allowed data types are ${allowed}`;
  return [[path, `unexpected data type for control ${CORRID}`, hint]];
}

function valueProblems(
  control: SequenceControlMessage,
  { kind, path }: { readonly kind: string; readonly path: string },
): Complaint[] {
  const set = VALUES.filter((field) => control[field]?.length);
  if (set.length !== 1)
    return [[path, `sequence batching must specify either ${ANY_VALUES} for ${kind}`]];
  if (control[set[0]!]!.length === 2) return [];
  return [[path, `sequence batching control '${set[0]!}' must have exactly 2 entries for ${kind}`]];
}

function stateProblems(state: SequenceStateMessage, index: number): Complaint[] {
  const path = `state[${index}]`;
  const { input_name: name = '', output_name: output = '', dims = [] } = state;
  const complaints: Complaint[] = [];
  if (name === '') complaints.push([`${path}.input_name`, "state must specify 'input_name'"]);
  if (output === '') complaints.push([`${path}.output_name`, "state must specify 'output_name'"]);
  if (!state.data_type || state.data_type === 'TYPE_INVALID')
    complaints.push([`${path}.data_type`, `state '${name}' must specify 'data_type'`]);
  if (dims.map(Number).some((size) => size < 1 && size !== -1))
    complaints.push([
      `${path}.dims`,
      `state '${name}' dimension must be integer >= 1, or -1 to indicate a variable-size dimension`,
    ]);
  return [...complaints, ...initialStateProblems(state, `${path}.initial_state`)];
}

/** An input gets one state. */
function doubledStateProblems({ state: states = [] }: SequenceBatchingMessage): Complaint[] {
  const names = states.map(({ input_name: name = '' }) => name);
  return names.flatMap((name, index): Complaint[] =>
    name === '' || names.indexOf(name) === index
      ? []
      : [[`state[${index}].input_name`, `state input '${name}' can only be specified once`]],
  );
}

function initialStateProblems(
  {
    input_name: name = '',
    initial_state: initial = [],
    data_type: type,
    dims,
  }: SequenceStateMessage,
  path: string,
): Complaint[] {
  const start = `'initial_state' field for state input tensor '${name}' must`;
  if (initial.length > 1) {
    const text = `${start} contain exactly one or zero element. Found ${initial.length} elements`;
    return [[path, text]];
  }
  const [first] = initial;
  if (!first) return [];
  const complaints: Complaint[] = [];
  if (first.data_type !== type)
    complaints.push([`${path}[0].data_type`, `${start} have the data type of the state`]);
  if (first.dims?.length && !fits(first.dims, dims))
    complaints.push([`${path}[0].dims`, `${start} have dims that fit those of the state`]);
  return complaints;
}

/** What the state leaves open may have any size, what it fixes that one. */
function fits(dims: readonly Int64[], state: readonly Int64[] = []): boolean {
  return (
    dims.length === state.length &&
    state.every((size, i) => Number(size) === -1 || Number(size) === Number(dims[i]))
  );
}
