// What is asked and what is answered, free of any wire format.

import type { Tensor } from './tensor.js';

export type ParameterValue = boolean | number | bigint | string;

/** Parameters of a request. `custom` holds what the server itself gives no meaning. */
export interface RequestParameters {
  /** The sequence the request belongs to: 0, 0n or '' for none. */
  readonly sequenceId: number | bigint | string;
  readonly sequenceStart: boolean;
  readonly sequenceEnd: boolean;
  /** 1 is the highest; 0: the model's default. */
  readonly priority: number;
  /** Longest time to wait in the queue; 0: the model's default. */
  readonly timeoutMs: number;
  readonly enableEmptyFinalResponse: boolean;
  readonly custom: ReadonlyMap<string, ParameterValue>;
}

export const NO_PARAMETERS: RequestParameters = Object.freeze({
  sequenceId: 0,
  sequenceStart: false,
  sequenceEnd: false,
  priority: 0,
  timeoutMs: 0,
  enableEmptyFinalResponse: false,
  custom: new Map<string, ParameterValue>(),
});

/** It belongs to a sequence, so it must neither be asked twice nor overtake the one before it. */
export function isInSequence({ parameters: { sequenceId } }: InferenceRequest): boolean {
  return sequenceId !== 0 && sequenceId !== '' && sequenceId !== 0n;
}

export interface RequestedOutput {
  readonly name: string;
  /** Classification extension: how many of the best classes to return instead of the tensor; 0: the tensor. */
  readonly classCount: number;
}

export interface InferenceRequest {
  readonly modelName: string;
  /** Chosen by the caller and returned; '' if none. */
  readonly id: string;
  readonly parameters: RequestParameters;
  readonly inputs: readonly Tensor[];
  /** Empty: all outputs of the model. */
  readonly outputs: readonly RequestedOutput[];
}

export type ResponseParameter = boolean | number | string;

/** The answer is not what a healthy server would have given. */
export interface Degradation {
  /** What the configuration calls it. */
  readonly level: string;
  /** 1 is the mildest. */
  readonly rank: number;
}

/** Of what several legs answered. */
export function worstOf(
  one: Degradation | undefined,
  other: Degradation | undefined,
): Degradation | undefined {
  if (!one || !other) return one ?? other;
  return other.rank > one.rank ? other : one;
}

export interface InferenceResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly outputs: readonly Tensor[];
  /** What the server says besides the outputs, such as how long things took. */
  readonly parameters?: ReadonlyMap<string, ResponseParameter>;
  /** Absent: none. Of several legs, the worst. */
  readonly degradation?: Degradation | undefined;
}

/** What Triton puts before the text of an error that concerns one request. */
export function requestIdPrefix(request: { readonly id: string }): string {
  return `[request id: ${request.id === '' ? '<id_unknown>' : request.id}] `;
}
