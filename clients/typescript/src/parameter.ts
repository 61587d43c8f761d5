// Parameters of requests, answers and model loads: JavaScript values <-> the oneof of the protocol.

import { invalid } from './inferd-error.js';

/** Whole numbers are sent as int64, others as double; a bigint is for whole numbers beyond 2^53. */
export type Parameter = boolean | number | bigint | string;
export type Parameters = Readonly<Record<string, Parameter>>;

/** One member is set. 64-bit integers come as bigint; numbers and halves are taken, too. */
export interface ParameterMessage {
  readonly boolParam?: boolean;
  readonly int64Param?: number | bigint | Int64Bits;
  readonly uint64Param?: number | bigint | Int64Bits;
  readonly doubleParam?: number;
  readonly stringParam?: string;
  readonly bytesParam?: Uint8Array;
}

interface Int64Bits {
  readonly low: number;
  readonly high: number;
}

export function parameterMessages(
  parameters: Readonly<Record<string, Parameter | Uint8Array>>,
): Record<string, ParameterMessage> {
  const entries = Object.entries(parameters);
  return Object.fromEntries(entries.map(([name, value]) => [name, messageOf(name, value)]));
}

export function parametersFrom(messages: Readonly<Record<string, ParameterMessage>>): Parameters {
  const entries = Object.entries(messages);
  return Object.fromEntries(entries.map(([name, message]) => [name, valueOf(message)]));
}

function messageOf(name: string, value: unknown): ParameterMessage {
  if (typeof value === 'boolean') return { boolParam: value };
  if (typeof value === 'string') return { stringParam: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { int64Param: value } : { doubleParam: value };
  if (value instanceof Uint8Array) return { bytesParam: value };
  if (typeof value !== 'bigint')
    throw invalid(`parameter '${name}' is a boolean, a number, a bigint or a string`);
  const half = {
    low: Number(value & 0xffffffffn) | 0,
    high: Number((value >> 32n) & 0xffffffffn) | 0,
  };
  if (BigInt.asIntN(64, value) === value) return { int64Param: half };
  if (BigInt.asUintN(64, value) === value) return { uint64Param: half };
  throw invalid(`parameter '${name}' does not fit into 64 bits: ${value}`);
}

function valueOf(message: ParameterMessage): Parameter {
  const { boolParam, int64Param, uint64Param, doubleParam, stringParam = '' } = message;
  const integer = int64Param ?? uint64Param;
  if (typeof integer === 'bigint')
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  return boolParam ?? doubleParam ?? stringParam;
}
