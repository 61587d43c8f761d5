// The key under which the answer to a request is kept: SHA-256 over everything an answer depends on, written so that no two
// different requests have the same text. An answer given for the wrong request would be a wrong answer, which is why the hash is
// a cryptographic one: callers choose the bytes. (1.4 µs for 1 kB of inputs and 340 µs for 600 kB; docs/adr/0015.)
//
// Not in it: the id, which the caller gets back from his own request; priority and timeout, which change when and not what; and
// parameters named inferd_…, which the server answers itself at the door.

import { createHash } from 'node:crypto';
import { NO_PARAMETERS, type InferenceRequest, type ParameterValue } from '../core/inference.js';

/** Inputs must be in the order of the model (layer/validate-inputs). `identity` says whose answer it is (identityOf). */
export function cacheKey(identity: string, request: InferenceRequest): string {
  const hash = createHash('sha256').update(describe(identity, request));
  for (const { data } of request.inputs) hash.update(data);
  return hash.digest('base64url');
}

/** Changes with the meaning of what is kept: with this number, old entries of a shared cache are found no more. */
const FORMAT = 1;

export interface VersionIdentity {
  readonly modelName: string;
  /** Decimal text. */
  readonly modelVersion: string;
  /** Of the files and the configuration that the version was loaded from; equal wherever those are equal. */
  readonly content: string;
}

/** Short, as it goes into every key. */
export function identityOf({ modelName, modelVersion, content }: VersionIdentity): string {
  const text = JSON.stringify([FORMAT, modelName, modelVersion, content]);
  return createHash('sha256').update(text).digest('base64url');
}

// ---- details below; callers need not read ----

/** JSON, which ends where it ends: bytes of inputs cannot pass for a part of it, and it says how many bytes each input has. */
function describe(identity: string, { inputs, outputs, parameters }: InferenceRequest): string {
  return JSON.stringify([
    identity,
    inputs.map(({ name, dataType, shape, data }) => [name, dataType, shape, data.byteLength]),
    outputs.map(({ name, classCount }) => [name, classCount]),
    parameters === NO_PARAMETERS ? [] : customParameters(parameters.custom),
  ]);
}

const ANSWERED_AT_THE_DOOR = 'inferd_';

function customParameters(custom: ReadonlyMap<string, ParameterValue>): string[][] {
  return [...custom]
    .filter(([key]) => !key.startsWith(ANSWERED_AT_THE_DOOR))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, typeof value, textOf(value)]);
}

function textOf(value: ParameterValue): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
