// The arguments of a call in this process -> a request as the message would have brought it, and an answer -> the values that
// inferd-client would have made of it. Typed arrays go in without a copy; what comes out is the caller's own.

import type { InferResult, Inputs } from 'inferd-client';
import { InferdError, decodeOutput, encodeInput, type EncodedTensor } from 'inferd-client/wire';
import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse, ParameterValue } from '../core/inference.js';
import type { InferOptions, Signatures } from './infer-options.js';
import type { WireRequest } from './infer-request-decoder.js';
import type { WireParameter } from '../wire/infer-parameter.js';

export interface InferArguments {
  readonly model: string;
  readonly inputs: Inputs;
  readonly options: InferOptions & Signatures;
}

/** @throws RuntimeError INVALID_ARGUMENT that says what to write instead */
export function wireRequestOf({ model, inputs, options }: InferArguments): WireRequest {
  const { version = '', id = '', parameters = {}, outputs = [], classification = {} } = options;
  const encoded = encodedInputs({ model, inputs, options });
  const plain = outputs.filter((name) => !Object.hasOwn(classification, name));
  return {
    modelName: model,
    modelVersion: String(version),
    id,
    parameters: Object.keys(parameters).length > 0 ? wireParameters(parameters) : undefined,
    inputs: encoded.map(({ name, datatype, shape }) => ({
      ...{ name, dataType: datatype, shape: [...shape] },
      ...{ contents: undefined, parameters: undefined },
    })),
    outputs: [
      ...plain.map((name) => ({ name, parameters: undefined })),
      ...Object.entries(classification).map(([name, classes]) => ({
        name,
        parameters: wireParameters({ classification: classes }),
      })),
    ],
    raw: encoded.map(({ raw }) => raw as Buffer),
  };
}

export function inferResultOf(response: InferenceResponse, id: string): InferResult {
  const { modelName, modelVersion, parameters } = response;
  const outputs = response.outputs.map(({ name, dataType, shape, data }) => [
    name,
    decodeOutput({ name, datatype: dataType, shape, parameters: {} }, copyOf(data)),
  ]);
  return {
    ...{ modelName, modelVersion, id },
    parameters: parameters ? Object.fromEntries(parameters) : {},
    outputs: Object.fromEntries(outputs) as InferResult['outputs'],
    address: 'in-process',
  };
}

// ---- details below; callers need not read ----

function encodedInputs({ model, inputs, options }: InferArguments): EncodedTensor[] {
  if (!((inputs as unknown) instanceof Object))
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `inputs of model '${model}' are an object of tensors by name, got ${typeof inputs}`,
    );
  try {
    return Object.entries(inputs).map(([name, input]) =>
      encodeInput(name, input, options.signatures?.[name]),
    );
  } catch (error) {
    if (!(error instanceof InferdError)) throw error;
    throw new RuntimeError('INVALID_ARGUMENT', error.details, { cause: error });
  }
}

function wireParameters(
  parameters: Readonly<Record<string, ParameterValue>>,
): Map<string, WireParameter> {
  const entries = Object.entries(parameters);
  return new Map(entries.map(([name, value]) => [name, { type: typeOf(name, value), value }]));
}

function typeOf(name: string, value: unknown): WireParameter['type'] {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'double';
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return 'int64';
  if (typeof value === 'bigint' && BigInt.asUintN(64, value) === value) return 'uint64';
  throw new RuntimeError(
    'INVALID_ARGUMENT',
    `parameter '${name}' is a boolean, a number, a bigint of 64 bits or a string, got ${String(value)}`,
  );
}

/** The bytes of a response are part of a batch and may be in the response cache. */
function copyOf(data: Uint8Array): Buffer {
  const bytes = new Uint8Array(data.byteLength);
  bytes.set(data);
  return Buffer.from(bytes.buffer);
}
