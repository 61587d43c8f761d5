// The classification extension: the k largest elements of each row, as texts "value:index" or "value:index:label".

import { elementBytes, type DataType } from '../core/data-type.js';
import { elementReader } from '../core/element-readers.js';
import { RuntimeError } from '../core/errors.js';
import { elementCount, type Tensor } from '../core/tensor.js';

export interface ClassificationOptions {
  /** The first dimension of the tensor is the batch. */
  readonly batched: boolean;
  /** At least 1. */
  readonly classCount: number;
  readonly labels: readonly string[];
}

/** @throws RuntimeError INVALID_ARGUMENT for a type without an order or a text */
export function classify(tensor: Tensor, options: ClassificationOptions): Tensor {
  const { dataType } = tensor;
  const read = WITHOUT_CLASSES.includes(dataType) ? undefined : elementReader(dataType);
  if (!read) {
    const text = `class result not available for output due to unsupported type '${dataType}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const rows = options.batched ? tensor.shape[0]! : 1;
  const classes = rows === 0 ? 0 : elementCount(tensor.shape) / rows;
  const count = Math.min(options.classCount, classes);
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const bytes = elementBytes(dataType);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const values = Array.from({ length: classes }, (_, i) =>
      read(view, (row * classes + i) * bytes),
    );
    for (const index of largest(values, count))
      texts.push(textOf(values[index]!, index, { tensor, options }));
  }
  return {
    name: tensor.name,
    dataType: 'BYTES',
    shape: options.batched ? [rows, count] : [count],
    data: lengthPrefixed(texts),
  };
}

// ---- details below; callers need not read ----

type Value = number | bigint;

/** Triton classifies no others. */
const WITHOUT_CLASSES: readonly DataType[] = ['BOOL', 'FP16', 'BF16'];

/** Indices of the largest values, largest first; equal ones in their order, NaN last. */
function largest(values: readonly Value[], count: number): number[] {
  const below = (a: Value, b: Value): boolean => a < b || (Number.isNaN(a) && !Number.isNaN(b));
  return values
    .map((_, index) => index)
    .sort((a, b) => {
      if (below(values[b]!, values[a]!)) return -1;
      return below(values[a]!, values[b]!) ? 1 : 0;
    })
    .slice(0, count);
}

function textOf(
  value: Value,
  index: number,
  { tensor, options }: { tensor: Tensor; options: ClassificationOptions },
): string {
  const float = tensor.dataType === 'FP32' || tensor.dataType === 'FP64';
  const text = float ? formatFixed6(value as number) : String(value);
  const label = options.labels[index];
  return label === undefined ? `${text}:${index}` : `${text}:${index}:${label}`;
}

/** C's "%f". JavaScript rounds a tie up where C rounds it to even; only odd multiples of 1/128 tie at six places. */
export function formatFixed6(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (magnitude >= 1e21) return `${sign}${BigInt(magnitude)}.000000`;
  const scaled = magnitude * 128;
  const tie = Number.isInteger(scaled) && scaled % 2 === 1;
  const millionths = Math.floor(magnitude * 1e6);
  if (tie && millionths % 2 === 0) return `${sign}${(millionths / 1e6).toFixed(6)}`;
  return sign + magnitude.toFixed(6);
}

function lengthPrefixed(texts: readonly string[]): Buffer {
  const parts = texts.map((text) => Buffer.from(text));
  const bytes = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    at = bytes.writeUInt32LE(part.length, at);
    at += part.copy(bytes, at);
  }
  return bytes;
}
