// The parameters of a request: those the server gives a meaning, and the others, which are handed to the model. Texts: Triton's.

import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS, type ParameterValue, type RequestParameters } from '../core/inference.js';
import type { WireParameter } from '../wire/infer-parameter.js';

/** @throws RuntimeError for a value of the wrong type, a reserved name, the id of a sequence that is too long */
export function requestParameters(
  parameters: ReadonlyMap<string, WireParameter>,
): RequestParameters {
  const custom = new Map<string, ParameterValue>();
  const known: { -readonly [Key in keyof RequestParameters]: RequestParameters[Key] } = {
    ...NO_PARAMETERS,
    custom,
  };
  for (const [key, parameter] of parameters) {
    if (!readKnown(known, key, parameter)) custom.set(key, customValue(key, parameter));
  }
  return known;
}

// ---- details below; callers need not read ----

/** False: the server gives this key no meaning. */
function readKnown(
  known: { -readonly [Key in keyof RequestParameters]: RequestParameters[Key] },
  key: string,
  parameter: WireParameter,
): boolean {
  switch (key) {
    case 'sequence_id':
      known.sequenceId = sequenceIdOf(parameter);
      return true;
    case 'sequence_start':
      known.sequenceStart = expect(key, parameter, ['bool']) as boolean;
      return true;
    case 'sequence_end':
      known.sequenceEnd = expect(key, parameter, ['bool']) as boolean;
      return true;
    case 'priority':
      known.priority = priorityOf(parameter);
      return true;
    case 'timeout':
      known.timeoutMs = Number(expect(key, parameter, ['int64'])) / 1000;
      return true;
    case 'triton_enable_empty_final_response':
      known.enableEmptyFinalResponse = expect(key, parameter, ['bool']) as boolean;
      return true;
    default:
      return false;
  }
}

function expect(
  key: string,
  { type, value }: WireParameter,
  types: readonly NonNullable<WireParameter['type']>[],
): ParameterValue {
  if (type !== undefined && types.includes(type)) return value;
  const names = types.map((name) => `${name}_param`).join(' or ');
  const text = `invalid value type for '${key}' parameter, expected ${names}.`;
  throw new RuntimeError('INVALID_ARGUMENT', text);
}

/** Bytes of a sequence's id. */
const LONGEST_ID = 128;

function sequenceIdOf(parameter: WireParameter): number | bigint | string {
  const id = expect('sequence_id', parameter, ['int64', 'string']) as number | bigint | string;
  if (typeof id !== 'string' || Buffer.byteLength(id) <= LONGEST_ID) return id;
  const text = `string correlation ID cannot be longer than ${LONGEST_ID} characters`;
  throw new RuntimeError('UNSUPPORTED', text);
}

function priorityOf(parameter: WireParameter): number {
  const priority = Number(expect('priority', parameter, ['int64', 'uint64']));
  if (priority >= 0) return priority;
  throw new RuntimeError('INVALID_ARGUMENT', "invalid value for 'priority', expected value >= 0.");
}

function customValue(key: string, { type, value }: WireParameter): ParameterValue {
  if (key.startsWith('triton_'))
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      "parameter keys starting with 'triton_' are reserved for Triton usage. Only the following keys starting with " +
        "'triton_' are allowed: triton_enable_empty_final_response",
    );
  if (type !== undefined && type !== 'uint64') return value;
  throw new RuntimeError(
    'INVALID_ARGUMENT',
    `invalid value type for '${key}' parameter, expected int64_param, bool_param, or string_param.`,
  );
}
