// What is wrong with a ModelInferResponse: compared with the right answer, or by itself.

import type protobuf from 'protobufjs';
import { loadProto } from '../replay/message-json.js';
import { ELEMENT_BYTES } from './element-data.js';
import type { ExpectedOutput } from './model-recipe.js';

interface Response {
  readonly id: string;
  readonly outputs: readonly Omit<ExpectedOutput, 'raw'>[];
  readonly raw_output_contents: readonly Buffer[];
}

const TYPE: protobuf.Type = loadProto().lookupType('inference.ModelInferResponse');

export function differsFrom(
  expected: readonly ExpectedOutput[],
  id: string,
): (message: Buffer) => string | undefined {
  return (message) => {
    const response = decode(message);
    if (typeof response === 'string') return response;
    const got = { id: response.id, outputs: described(outputsOf(response)) };
    const wanted = { id, outputs: described(expected) };
    const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
    return a === b ? undefined : `a wrong answer: ${a} in place of ${b}`;
  };
}

/** Every output has as many bytes as its type and shape say. */
export function contradictsItself(message: Buffer): string | undefined {
  const response = decode(message);
  if (typeof response === 'string') return response;
  if (response.outputs.length !== response.raw_output_contents.length)
    return `${response.outputs.length} outputs, but ${response.raw_output_contents.length} data`;
  for (const output of outputsOf(response)) {
    const elements = output.shape.reduce((product, size) => product * size, 1);
    if (elementsIn(output) === elements) continue;
    const { name, datatype, shape, raw } = output;
    return `output ${name} has ${raw.length} bytes for ${datatype} [${shape.join(',')}]`;
  }
  return undefined;
}

// ---- details below; callers need not read ----

/** A text: why it cannot be read. */
function decode(message: Buffer): Response | string {
  try {
    const options = { longs: Number, defaults: true };
    return TYPE.toObject(TYPE.decode(message), options) as unknown as Response;
  } catch (error) {
    return `an answer that is no ModelInferResponse: ${String(error)}`;
  }
}

function outputsOf({ outputs, raw_output_contents: data }: Response): ExpectedOutput[] {
  return outputs.map((output, i) => ({ ...output, raw: data[i] ?? Buffer.alloc(0) }));
}

function described(outputs: readonly ExpectedOutput[]): unknown {
  return outputs.map(({ name, datatype, shape, raw }) => [
    name,
    datatype,
    shape.map(Number),
    raw.toString('base64'),
  ]);
}

/** NaN for strings that do not end where the data do. */
function elementsIn({ datatype, raw }: ExpectedOutput): number {
  const bytes = ELEMENT_BYTES[datatype];
  if (bytes === undefined) return NaN;
  if (bytes > 0) return raw.length / bytes;
  let count = 0;
  let at = 0;
  for (; at + 4 <= raw.length; count++) at += 4 + raw.readUInt32LE(at);
  return at === raw.length ? count : NaN;
}
