// The element types of the v2 protocol and the JavaScript values that stand for them.

interface Elements {
  readonly BOOL: Uint8Array;
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  /** The bits; `fromFloat16` turns them into numbers. */
  readonly FP16: Uint16Array;
  /** The bits; `fromBfloat16` turns them into numbers. */
  readonly BF16: Uint16Array;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
}

export type FixedDataType = keyof Elements;
export type DataType = FixedDataType | 'BYTES';

/** What an output of a type has as `data`: a typed array, or the strings of BYTES. */
export type DataOf<T extends DataType> = T extends FixedDataType ? Elements[T] : readonly string[];

export type TypedArray = Elements[FixedDataType] | Uint8ClampedArray;

interface ArrayConstructor<A> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  new (length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

const ARRAYS: { readonly [T in FixedDataType]: ArrayConstructor<Elements[T]> } = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

export const DATA_TYPES: readonly DataType[] = [
  ...(Object.keys(ARRAYS) as FixedDataType[]),
  'BYTES',
];

export function arrayOf(datatype: FixedDataType): ArrayConstructor<TypedArray> {
  return ARRAYS[datatype];
}

export function isDataType(name: string): name is DataType {
  return DATA_TYPES.includes(name as DataType);
}

/** The type an array stands for when none is given: FP16, BF16 and BOOL have to be. */
export function dataTypeOf(array: TypedArray): FixedDataType {
  if (array instanceof Uint8ClampedArray) return 'UINT8';
  const names: FixedDataType[] = Object.keys(ARRAYS).filter(isFixed);
  return names.find((name) => name !== 'BOOL' && array instanceof ARRAYS[name])!;
}

/** Whether the array has elements of just that type. */
export function holds(array: TypedArray, datatype: FixedDataType): boolean {
  return (
    array instanceof ARRAYS[datatype] ||
    (array instanceof Uint8ClampedArray && datatype === 'UINT8')
  );
}

function isFixed(name: string): name is FixedDataType {
  return name !== 'BYTES';
}
