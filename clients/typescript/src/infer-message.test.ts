import { describe, expect, it } from 'vitest';
import { classesOf } from './classification.js';
import { decodeInferResponse, encodeInferRequest } from './infer-message.js';
import { decode, encode } from './messages.js';
import { elementsOf } from './tensor-output.js';

const REQUEST = 'inference.ModelInferRequest';
const RESPONSE = 'inference.ModelInferResponse';

interface AnOutput {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw?: Uint8Array;
  readonly contents?: object;
}

function answer(outputs: Readonly<Record<string, AnOutput>>, more: object = {}): Buffer {
  const list = Object.entries(outputs).map(([name, output]) => ({ name, ...output }));
  const raws = list.flatMap(({ raw }) => raw ?? []);
  return encode(RESPONSE, { modelName: 'm', outputs: list, rawOutputContents: raws, ...more });
}

describe('a request', () => {
  it('has its tensors raw, in the order of the inputs', () => {
    const inputs = { a: new Float32Array([1]), b: ['x'] };

    const message = decode(REQUEST, encodeInferRequest('m', inputs, { version: 2, id: 'i' }));

    expect(message).toMatchObject({
      modelName: 'm',
      modelVersion: '2',
      id: 'i',
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [1] },
        { name: 'b', datatype: 'BYTES', shape: [1] },
      ],
      outputs: [],
      rawInputContents: [Buffer.from('0000803f', 'hex'), Buffer.from('0100000078', 'hex')],
    });
  });

  it('names outputs, and those that are wanted as classes', () => {
    const options = { outputs: ['a', 'b'], classification: { b: 3, c: 1 } };

    const message = decode(REQUEST, encodeInferRequest('m', {}, options)) as { outputs: object[] };

    expect(message.outputs).toEqual([
      { name: 'a', parameters: {} },
      { name: 'b', parameters: { classification: { int64Param: 3 } } },
      { name: 'c', parameters: { classification: { int64Param: 1 } } },
    ]);
  });

  it('carries parameters of every type', () => {
    const parameters = {
      flag: true,
      whole: -5,
      huge: 2n ** 62n,
      unsigned: 2n ** 64n - 1n,
      half: 0.5,
      text: '',
    };

    const message = decode(REQUEST, encodeInferRequest('m', {}, { parameters }), BigInt);

    expect(message).toMatchObject({
      parameters: {
        flag: { boolParam: true },
        whole: { int64Param: -5n },
        huge: { int64Param: 2n ** 62n },
        unsigned: { uint64Param: 2n ** 64n - 1n },
        half: { doubleParam: 0.5 },
        text: { stringParam: '' },
      },
    });
  });

  it('refuses parameters that the protocol cannot carry', () => {
    const parameters = { a: null } as unknown as Record<string, string>;

    expect(() => encodeInferRequest('m', {}, { parameters })).toThrow("parameter 'a' is a boolean");
    expect(() => encodeInferRequest('m', {}, { parameters: { a: 2n ** 64n } })).toThrow('64 bits');
  });
});

describe('an answer', () => {
  it.each([
    ['FP32', '0000803f', [1], Float32Array],
    ['FP64', '000000000000f03f', [1], Float64Array],
    ['INT8', 'ff', [-1], Int8Array],
    ['INT16', 'ffff', [-1], Int16Array],
    ['INT32', 'ffffffff', [-1], Int32Array],
    ['INT64', 'ffffffffffffffff', [-1n], BigInt64Array],
    ['UINT8', 'ff', [255], Uint8Array],
    ['UINT16', 'ffff', [65535], Uint16Array],
    ['UINT32', 'ffffffff', [4294967295], Uint32Array],
    ['UINT64', 'ffffffffffffffff', [2n ** 64n - 1n], BigUint64Array],
    ['BOOL', '01', [1], Uint8Array],
    ['FP16', '003c', [0x3c00], Uint16Array],
    ['BF16', '803f', [0x3f80], Uint16Array],
  ])('has %s as a typed array', (datatype, hex, values, array) => {
    const bytes = answer({ y: { datatype, shape: [1, 1], raw: Buffer.from(hex, 'hex') } });

    const { y } = decodeInferResponse(bytes, 'here').outputs;

    expect(y).toMatchObject({ name: 'y', datatype, shape: [1, 1] });
    expect(y!.data).toBeInstanceOf(array);
    expect([...y!.data]).toEqual(values);
  });

  it('shares the memory of the message wherever elements lie at a multiple of their size', () => {
    const output = { datatype: 'FP64', shape: [2], raw: Buffer.from(Float64Array.of(1, 2).buffer) };
    const seen = new Set<boolean>();

    for (let shift = 0; shift < 8; shift++) {
      const bytes = answer({ y: output }, { id: 'x'.repeat(shift) });
      const moved = Buffer.from(new ArrayBuffer(bytes.length));
      moved.set(bytes);
      const { y } = decodeInferResponse(moved, 'here').outputs;
      expect([...y!.data]).toEqual([1, 2]);
      seen.add((y!.data as Float64Array).buffer === moved.buffer);
    }

    expect(seen).toEqual(new Set([true, false]));
  });

  it('has BYTES as texts, and as bytes for those who want them', () => {
    const raw = Buffer.concat([
      Buffer.from([2, 0, 0, 0, 195, 169]),
      Buffer.from([1, 0, 0, 0, 255]),
    ]);
    const { y } = decodeInferResponse(
      answer({ y: { datatype: 'BYTES', shape: [2], raw } }),
      'here',
    ).outputs;

    expect(y!.data).toEqual(['é', '\ufffd']);
    expect(elementsOf(y!)).toEqual([Buffer.from('é'), Buffer.from([255])]);
  });

  it('has parameters as values, of 64 bits as a number where that is exact', () => {
    const parameters = {
      a: { int64Param: 5 },
      b: { uint64Param: { low: -1, high: -1 } },
      c: { stringParam: 's' },
      d: { boolParam: false },
      e: { doubleParam: 0.5 },
    };

    const result = decodeInferResponse(answer({}, { parameters, id: 'i' }), 'here');

    expect(result).toMatchObject({
      id: 'i',
      address: 'here',
      parameters: { a: 5, b: 2n ** 64n - 1n, c: 's', d: false, e: 0.5 },
    });
  });

  it('may have its data as typed lists', () => {
    const bytes = answer({
      n: { datatype: 'INT64', shape: [2], contents: { int64Contents: [1, 2] } },
      s: { datatype: 'BYTES', shape: [1], contents: { bytesContents: [Buffer.from('x')] } },
      f: { datatype: 'FP32', shape: [0], contents: {} },
    });

    const { n, s, f } = decodeInferResponse(bytes, 'here').outputs;

    expect([...n!.data]).toEqual([1n, 2n]);
    expect(s!.data).toEqual(['x']);
    expect([...f!.data]).toEqual([]);
  });

  it('has classes by rows', () => {
    const texts = ['0.75:3:a:b', '0.25:0', '0.5:1:c', '0.125:2:'];
    const raw = Buffer.concat(
      texts.map((text) => Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.from(text)])),
    );
    const { y } = decodeInferResponse(
      answer({ y: { datatype: 'BYTES', shape: [2, 2], raw } }),
      'here',
    ).outputs;

    expect(classesOf(y!)).toEqual([
      [
        { score: 0.75, index: 3, label: 'a:b' },
        { score: 0.25, index: 0, label: '' },
      ],
      [
        { score: 0.5, index: 1, label: 'c' },
        { score: 0.125, index: 2, label: '' },
      ],
    ]);
  });

  it.each([
    [{ datatype: 'FP8', shape: [1], raw: Buffer.alloc(1) }, /datatype that is not known: 'FP8'/],
    [{ datatype: 'FP32', shape: [2], raw: Buffer.alloc(4) }, /of shape \[2\] has 1 elements/],
    [{ datatype: 'FP32', shape: [1], raw: Buffer.alloc(3) }, /3 bytes are no whole number of FP32/],
    [{ datatype: 'BYTES', shape: [1], raw: Buffer.from([9, 0, 0, 0]) }, /ends within an element/],
  ])('that contradicts itself is an error: %j', (output, message) => {
    expect(() => decodeInferResponse(answer({ y: output }), 'here')).toThrow(message);
  });
});
