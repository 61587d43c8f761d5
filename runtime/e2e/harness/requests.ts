// Requests and answers of ModelInfer as tests write them.

import type { Message } from './test-client.js';

/** One input of FP32 values, sent raw. */
export function fp32(name: string, shape: readonly number[], values: readonly number[]): RawTensor {
  return { name, datatype: 'FP32', shape, raw: Buffer.from(Float32Array.from(values).buffer) };
}

export interface RawTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw: Buffer;
}

export function inferRequest(
  model: string,
  inputs: readonly RawTensor[],
  more: Message = {},
): Message {
  return {
    model_name: model,
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_input_contents: inputs.map(({ raw }) => raw),
    ...more,
  };
}

/** The raw bytes of an output by its name. */
export function rawOutput(answer: Message, name: string): Buffer {
  const outputs = answer['outputs'] as { name: string }[];
  const index = outputs.findIndex((output) => output.name === name);
  if (index < 0) throw new Error(`no output ${name}`);
  return (answer['raw_output_contents'] as Buffer[])[index]!;
}

export function fp32Output(answer: Message, name: string): number[] {
  return [...new Float32Array(Uint8Array.from(rawOutput(answer, name)).buffer)];
}

/** The elements of a BYTES output. */
export function textOutput(answer: Message, name: string): string[] {
  const raw = rawOutput(answer, name);
  const texts: string[] = [];
  for (let at = 0; at < raw.length;) {
    const length = raw.readUInt32LE(at);
    texts.push(raw.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}
