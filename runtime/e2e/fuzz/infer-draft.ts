// A ModelInferRequest that can still be changed, before it becomes bytes. Nothing is checked: it may say what no message should.

import {
  bytesField,
  encodeVarint,
  entryField,
  messageField,
  textFields,
  type Text,
  type WireItem,
} from './wire-field.js';

export interface ParameterDraft {
  key: Text;
  /** The fields of the InferParameter; see PARAMETER_FIELD. */
  value: WireItem[];
}

export interface InputDraft {
  name: Text;
  datatype: Text;
  shape: bigint[];
  parameters: ParameterDraft[];
  /** Undefined: no raw_input_contents of its own. */
  raw: Buffer | undefined;
  /** The fields of InferTensorContents; undefined: no such message. */
  contents: WireItem[] | undefined;
}

export interface OutputDraft {
  name: Text;
  parameters: ParameterDraft[];
}

export interface InferDraft {
  modelName: Text;
  modelVersion: Text;
  id: Text;
  parameters: ParameterDraft[];
  inputs: InputDraft[];
  outputs: OutputDraft[];
  /** Entries of raw_input_contents after those of the inputs. */
  surplusRaw: Buffer[];
}

export function inputDraft(
  name: string,
  datatype: string,
  { shape, raw }: { shape: readonly number[]; raw: Buffer },
): InputDraft {
  return { name, datatype, shape: shape.map(BigInt), parameters: [], raw, contents: undefined };
}

export function inferDraft(modelName: string, inputs: InputDraft[]): InferDraft {
  const nothing = { modelVersion: '', id: '', parameters: [], outputs: [], surplusRaw: [] };
  return { modelName, inputs, ...structuredClone(nothing) };
}

export function wireOf(draft: InferDraft): WireItem[] {
  const { modelName, modelVersion, id, inputs, surplusRaw } = draft;
  const raw = [...inputs.flatMap((input) => input.raw ?? []), ...surplusRaw];
  return [
    ...textFields({ 1: modelName, 2: modelVersion, 3: id }),
    ...draft.parameters.map(({ key, value }) => entryField(4, key, value)),
    ...inputs.map((input) => messageField(5, inputWire(input))),
    ...draft.outputs.map(({ name, parameters }) =>
      messageField(6, [
        ...textFields({ 1: name }),
        ...parameters.map(({ key, value }) => entryField(2, key, value)),
      ]),
    ),
    ...raw.map((bytes) => bytesField(7, bytes)),
  ];
}

// ---- details below; callers need not read ----

function inputWire({ name, datatype, shape, parameters, contents }: InputDraft): WireItem[] {
  const packed = Buffer.concat(shape.map((size) => encodeVarint(size)));
  return [
    ...textFields({ 1: name, 2: datatype, 3: packed }),
    ...parameters.map(({ key, value }) => entryField(4, key, value)),
    ...(contents ? [messageField(5, contents)] : []),
  ];
}
