// InferTensorContents -> raw bytes: tensor data given as typed lists instead of raw_input_contents. Integers narrower than their
// list lose their high bytes, as in Triton.

import { elementBytes, type DataType } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import { DELIMITED, WireReader } from './wire-reader.js';

/** The lists of InferTensorContents by field number: what they are called in errors, and which types they carry. */
const LISTS: readonly ContentsList[] = [
  { field: 1, calls: 'BOOL', carries: ['BOOL'] },
  { field: 2, calls: 'INT32', carries: ['INT8', 'INT16', 'INT32'] },
  { field: 3, calls: 'INT64', carries: ['INT64'] },
  { field: 4, calls: 'UINT32', carries: ['UINT8', 'UINT16', 'UINT32'] },
  { field: 5, calls: 'UINT64', carries: ['UINT64'] },
  { field: 6, calls: 'FP32', carries: ['FP32'] },
  { field: 7, calls: 'FP64', carries: ['FP64'] },
  { field: 8, calls: 'BYTES', carries: ['BYTES'] },
];

interface ContentsList {
  readonly field: number;
  readonly calls: string;
  readonly carries: readonly DataType[];
}

/** @throws RuntimeError INVALID_ARGUMENT when the list is not the one for the type, or more than one is filled */
export function readContents(
  contents: WireReader,
  tensor: { readonly name: string; readonly dataType: DataType; readonly model: string },
): Buffer {
  const values = new ValueBuffer();
  let filled: ContentsList | undefined;
  while (!contents.done) {
    const tag = contents.tag();
    const list = LISTS[(tag >>> 3) - 1];
    if (!list) {
      contents.skip(tag & 7);
      continue;
    }
    const before = values.length;
    readValues(list, tag & 7, { contents, dataType: tensor.dataType, values });
    if (values.length === before) continue;
    checkList(list, filled, tensor);
    filled = list;
  }
  return values.bytes();
}

// ---- details below; callers need not read ----

function checkList(
  list: ContentsList,
  filled: ContentsList | undefined,
  { name, dataType, model }: { name: string; dataType: DataType; model: string },
): void {
  const start = `unexpected explicit tensor data for input tensor '${name}' for model '${model}'`;
  if (filled !== undefined && filled !== list)
    throw new RuntimeError('INVALID_ARGUMENT', `${start}, binary data was already supplied.`);
  if (list.carries.includes(dataType)) return;
  const expected = dataType === 'INVALID' ? '<invalid>' : dataType;
  throw new RuntimeError(
    'INVALID_ARGUMENT',
    `${start} of type '${list.calls}', expected datatype '${expected}'`,
  );
}

/** The raw bytes of the values read so far. One buffer for all, because a list may have a field per element. */
class ValueBuffer {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What comes first is not copied; whatever comes behind it finds its buffer full. */
  append(bytes: Buffer): void {
    if (this.#length === 0) {
      this.#buffer = bytes;
      this.#length = bytes.length;
    } else {
      const at = this.#grow(bytes.length);
      bytes.copy(this.#buffer, at);
    }
  }

  integer(value: number, bytes: 1 | 2 | 4): void {
    const at = this.#grow(bytes);
    this.#buffer.writeUIntLE(bytes === 4 ? value : value & (2 ** (8 * bytes) - 1), at, bytes);
  }

  integer64(value: bigint): void {
    const at = this.#grow(8);
    this.#buffer.writeBigUInt64LE(value, at);
  }

  string(element: Buffer): void {
    this.integer(element.length, 4);
    const at = this.#grow(element.length);
    element.copy(this.#buffer, at);
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes room for so many more bytes; returns where they begin. */
  #grow(bytes: number): number {
    const from = this.#length;
    const to = from + bytes;
    if (to > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(to, 2 * this.#buffer.length, 64));
      this.#buffer.copy(larger, 0, 0, from);
      this.#buffer = larger;
    }
    this.#length = to;
    return from;
  }
}

/** One occurrence of a list: a single value, or many of them packed. */
function readValues(
  list: ContentsList,
  wireType: number,
  target: { contents: WireReader; dataType: DataType; values: ValueBuffer },
): void {
  const { contents, dataType, values } = target;
  if (list.field === 8) {
    values.string(contents.bytes());
    return;
  }
  const packed = wireType === DELIMITED ? contents.message() : single(contents, wireType);
  // Floats lie in the message as they are wanted.
  if (list.field === 6) values.append(wholeElements(packed, 4));
  else if (list.field === 7) values.append(wholeElements(packed, 8));
  else if (list.field === 1) while (!packed.done) values.integer(packed.bool() ? 1 : 0, 1);
  else readIntegers(packed, list.carries.includes(dataType) ? elementBytes(dataType) : 8, values);
}

function single(contents: WireReader, wireType: number): WireReader {
  const from = contents.at;
  contents.skip(wireType);
  return new WireReader(contents.buffer, from, contents.at);
}

function wholeElements(packed: WireReader, bytes: number): Buffer {
  const length = packed.end - packed.at;
  if (length % bytes !== 0)
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `a packed list of ${bytes}-byte numbers has ${length} bytes`,
    );
  return packed.buffer.subarray(packed.at, packed.end);
}

function readIntegers(packed: WireReader, bytes: number, values: ValueBuffer): void {
  if (bytes === 8) while (!packed.done) values.integer64(packed.uint64());
  else while (!packed.done) values.integer(packed.uint32(), bytes as 1 | 2 | 4);
}
