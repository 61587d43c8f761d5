// The element types of the v2 protocol, and what they are called elsewhere.

/** INVALID stands for a name that no type has; it matches no model. */
export type DataType =
  | 'BOOL'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES'
  | 'BF16'
  | 'INVALID';

/** Bytes of one element; 0 where elements differ in size (BYTES) or have none (INVALID). */
const ELEMENT_BYTES: Record<DataType, number> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
  BF16: 2,
  INVALID: 0,
};

const BY_NAME = new Map(
  Object.keys(ELEMENT_BYTES)
    .filter((name) => name !== 'INVALID')
    .map((name) => [name, name as DataType]),
);

export function elementBytes(type: DataType): number {
  return ELEMENT_BYTES[type];
}

/** From the name in a request ("FP32"); case matters, as in Triton. */
export function dataTypeFromName(name: string): DataType {
  return BY_NAME.get(name) ?? 'INVALID';
}

/** From the name in a model configuration ("TYPE_FP32", "TYPE_STRING"). */
export function dataTypeFromConfig(name: string): DataType {
  return name === 'TYPE_STRING' ? 'BYTES' : dataTypeFromName(name.replace(/^TYPE_/, ''));
}

export function configNameOf(type: DataType): string {
  return type === 'BYTES' ? 'TYPE_STRING' : `TYPE_${type}`;
}
