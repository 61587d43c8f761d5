// ModelInfer's messages: a call's arguments -> ModelInferRequest, ModelInferResponse -> a result. Tensor data go raw, both ways.

import { elementData, type ContentsMessage } from './tensor-contents.js';
import { decode, encode } from './messages.js';
import {
  parameterMessages,
  parametersFrom,
  type ParameterMessage,
  type Parameters,
} from './parameter.js';
import { encodeInput, type Input, type TensorSignature } from './tensor-input.js';
import { decodeOutput, type OutputMessage, type OutputTensor } from './tensor-output.js';

export type Inputs = Readonly<Record<string, Input>>;
export type Outputs = Readonly<Record<string, OutputTensor>>;
export type InputSignatures = Readonly<Record<string, TensorSignature>>;

/** What a request says beside its inputs. */
export interface InferRequestOptions {
  /** A version of the model; without one, the latest that is ready. */
  readonly version?: number | string;
  /** The outputs wanted; without a list, all of them. */
  readonly outputs?: readonly string[];
  /** Outputs wanted as their so many best classes; see `classesOf`. Together with `outputs`, these and those. */
  readonly classification?: Readonly<Record<string, number>>;
  /** Comes back in the answer and is named in the server's texts. */
  readonly id?: string;
  readonly parameters?: Parameters;
}

export interface InferResult<O = Outputs> {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly outputs: O;
  /** The server that answered. */
  readonly address: string;
}

/** @throws InferdError INVALID_ARGUMENT for inputs that cannot be sent */
export function encodeInferRequest(
  model: string,
  inputs: Inputs,
  options: InferRequestOptions & { signatures?: InputSignatures },
): Buffer {
  const { version = '', outputs = [], classification = {}, id = '', parameters = {} } = options;
  const tensors = Object.entries(inputs).map(([name, input]) =>
    encodeInput(name, input, options.signatures?.[name]),
  );
  const plain = outputs.filter((name) => !Object.hasOwn(classification, name));
  return encode('inference.ModelInferRequest', {
    modelName: model,
    modelVersion: String(version),
    id,
    parameters: parameterMessages(parameters),
    inputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    outputs: [
      ...plain.map((name) => ({ name })),
      ...Object.entries(classification).map(([name, classes]) => ({
        name,
        parameters: parameterMessages({ classification: classes }),
      })),
    ],
    rawInputContents: tensors.map(({ raw }) => raw),
  });
}

export interface InferResponseMessage {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, ParameterMessage>>;
  readonly outputs: readonly (OutputMessage & { readonly contents: ContentsMessage | null })[];
  readonly rawOutputContents: readonly Buffer[];
}

export function decodeInferResponse(bytes: Buffer, address: string): InferResult {
  const message = decode('inference.ModelInferResponse', bytes, BigInt);
  return inferResultFrom(message as InferResponseMessage, address);
}

export function inferResultFrom(message: InferResponseMessage, address: string): InferResult {
  const { modelName, modelVersion, id, rawOutputContents } = message;
  const outputs = message.outputs.map((output, i) => [
    output.name,
    decodeOutput(output, rawOutputContents[i] ?? elementData(output.datatype, output.contents)),
  ]);
  return {
    modelName,
    modelVersion,
    id,
    parameters: parametersFrom(message.parameters),
    outputs: Object.fromEntries(outputs) as Outputs,
    address,
  };
}
