// What a caller gives as an input -> datatype, shape and bytes as they go out. Typed arrays are not copied.

import {
  DATA_TYPES,
  arrayOf,
  dataTypeOf,
  holds,
  isDataType,
  type DataType,
  type FixedDataType,
  type TypedArray,
} from './data-type.js';
import { encodeElements } from './bytes-elements.js';
import { toBfloat16, toFloat16 } from './half-float.js';
import { invalid } from './inferd-error.js';
import { filledShape, flatten, sizeOf } from './shape.js';

type Element = number | bigint | boolean | string | Uint8Array;
export type NestedElements = readonly (Element | NestedElements)[];

/** Elements in row-major order. A Buffer together with a datatype other than BYTES is the tensor's bytes, little-endian. */
export type TensorData = TypedArray | NestedElements | string;

/**
 * A tensor to be sent. Without a shape it is the one of nested lists, or one dimension. Without a datatype it follows from
 * the data: Float32Array is FP32, BigInt64Array and bigints are INT64, booleans BOOL, strings BYTES; plain numbers need one.
 */
export interface Tensor<T extends DataType = DataType> {
  readonly data: TensorData;
  readonly datatype?: T;
  readonly shape?: readonly number[];
}

export type Input = Tensor | TensorData;

/** What is known of an input beforehand; -1 stands for any size. */
export interface TensorSignature {
  readonly datatype: DataType;
  readonly shape: readonly number[];
}

export interface EncodedTensor {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly number[];
  readonly raw: Uint8Array;
}

/** @throws InferdError INVALID_ARGUMENT that says what to write instead */
export function encodeInput(
  name: string,
  input: Input,
  signature?: TensorSignature,
): EncodedTensor {
  const tensor = tensorOf(input);
  const datatype = tensor.datatype ?? signature?.datatype;
  if (datatype !== undefined && !isDataType(datatype))
    throw invalid(
      `input '${name}': there is no datatype '${datatype as string}', but ${DATA_TYPES.join(', ')}`,
    );
  const { elements, shape: found } = listed(name, tensor.data);
  const encoded = encodeData(name, elements, datatype);
  const shape = tensor.shape ?? filledShape(found, encoded.count, signature?.shape);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw invalid(
      `input '${name}': the sizes of a shape are whole numbers, got [${shape.join(', ')}]`,
    );
  if (sizeOf(shape) !== encoded.count)
    throw invalid(
      `input '${name}': shape [${shape.join(', ')}] has ${sizeOf(shape)} elements, the data have ${encoded.count}`,
    );
  return { name, datatype: encoded.datatype, shape, raw: encoded.raw };
}

// ---- details below; callers need not read ----

interface EncodedData {
  readonly datatype: DataType;
  readonly raw: Uint8Array;
  /** Elements. */
  readonly count: number;
}

type Flat = TypedArray | readonly Element[];

function tensorOf(input: Input): Tensor {
  const isTensor = input instanceof Object && !Array.isArray(input) && !ArrayBuffer.isView(input);
  return isTensor ? (input as Tensor) : { data: input as TensorData };
}

/** The elements in one list, and the shape if the data have one. */
function listed(name: string, data: TensorData): { elements: Flat; shape: number[] } {
  if (typeof data === 'string') return { elements: [data], shape: [1] };
  if (ArrayBuffer.isView(data)) return { elements: data, shape: [] };
  if (!Array.isArray(data))
    throw invalid(
      `input '${name}' is a typed array, a list, a string or { data, shape, datatype }`,
    );
  return flatten<Element>(name, data as NestedElements);
}

function encodeData(name: string, elements: Flat, datatype: DataType | undefined): EncodedData {
  if (ArrayBuffer.isView(elements)) return encodeArray(name, elements, datatype);
  const type = datatype ?? guessed(name, elements[0]);
  const count = elements.length;
  if (type !== 'BYTES')
    return { datatype: type, raw: bytesOf(numbers(name, elements, type)), count };
  const isText = (element: Element): boolean =>
    typeof element === 'string' || element instanceof Uint8Array;
  if (!elements.every(isText))
    throw invalid(`input '${name}': elements of BYTES are strings or Uint8Arrays`);
  return { datatype: type, raw: encodeElements(elements as (string | Uint8Array)[]), count };
}

function guessed(name: string, element: Element | undefined): DataType {
  if (typeof element === 'bigint') return 'INT64';
  if (typeof element === 'boolean') return 'BOOL';
  if (typeof element === 'string' || element instanceof Uint8Array) return 'BYTES';
  throw invalid(
    `input '${name}': a list of numbers needs a datatype; write { datatype: 'FP32', data: [...] }, or give a typed array`,
  );
}

function encodeArray(name: string, array: TypedArray, datatype: DataType | undefined): EncodedData {
  const type = datatype ?? dataTypeOf(array);
  if (type === 'BYTES')
    throw invalid(`input '${name}': elements of BYTES come as a list: [${array.constructor.name}]`);
  if (holds(array, type)) return { datatype: type, raw: bytesOf(array), count: array.length };
  if (Buffer.isBuffer(array)) return rawBytes(name, array, type);
  if (array instanceof Float32Array && (type === 'FP16' || type === 'BF16')) {
    const bits = type === 'FP16' ? toFloat16(array) : toBfloat16(array);
    return { datatype: type, raw: bytesOf(bits), count: array.length };
  }
  const wanted = arrayOf(type).name;
  throw invalid(`input '${name}': ${type} is a ${wanted}, got a ${array.constructor.name}`);
}

function rawBytes(name: string, bytes: Buffer, datatype: FixedDataType): EncodedData {
  const count = bytes.length / arrayOf(datatype).BYTES_PER_ELEMENT;
  if (!Number.isInteger(count))
    throw invalid(`input '${name}': ${bytes.length} bytes are no whole number of ${datatype}`);
  return { datatype, raw: bytes, count };
}

function numbers(name: string, elements: readonly Element[], datatype: FixedDataType): TypedArray {
  const wrong = elements.findIndex((element) => !fits(element, datatype));
  if (wrong !== -1) {
    const shown = JSON.stringify(String(elements[wrong]));
    throw invalid(`input '${name}': ${shown} is no element of ${datatype}`);
  }
  if (datatype === 'FP16') return toFloat16(elements.map(Number));
  if (datatype === 'BF16') return toBfloat16(elements.map(Number));
  const array = arrayOf(datatype);
  const into = new array(elements.length);
  if (into instanceof BigInt64Array || into instanceof BigUint64Array)
    elements.forEach((element, i) => (into[i] = BigInt(element as number)));
  else elements.forEach((element, i) => (into[i] = Number(element)));
  return into;
}

/** Floats take any number; integers only what they can hold, so that nothing wraps around unseen. */
function fits(element: Element, datatype: FixedDataType): boolean {
  if (datatype === 'BOOL') return typeof element === 'boolean' || element === 0 || element === 1;
  if (typeof element !== 'number' && typeof element !== 'bigint') return false;
  const [, sign, bits] = /^(U?)INT(\d+)$/.exec(datatype) ?? [];
  return bits === undefined || isInteger(element, { isSigned: sign === '', bits: Number(bits) });
}

function isInteger(
  element: number | bigint,
  { isSigned, bits }: { isSigned: boolean; bits: number },
): boolean {
  if (typeof element === 'number' && !Number.isSafeInteger(element)) return false;
  const value = BigInt(element);
  return (isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return Buffer.from(buffer, byteOffset, byteLength);
}
