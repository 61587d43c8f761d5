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
  const chunks: Buffer[] = [];
  let filled: ContentsList | undefined;
  while (!contents.done) {
    const tag = contents.tag();
    const list = LISTS.find(({ field }) => field === tag >>> 3);
    if (!list) {
      contents.skip(tag & 7);
      continue;
    }
    const values = readValues(list, tag & 7, { contents, dataType: tensor.dataType });
    if (values.length === 0 && list.field !== 8) continue;
    checkList(list, filled, tensor);
    filled = list;
    chunks.push(values);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
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

/** One occurrence of a list: a single value, or many of them packed. */
function readValues(
  list: ContentsList,
  wireType: number,
  { contents, dataType }: { contents: WireReader; dataType: DataType },
): Buffer {
  if (list.field === 8) return lengthPrefixed(contents.bytes());
  const values = wireType === DELIMITED ? contents.message() : single(contents, wireType);
  // Floats lie in the message as they are wanted.
  if (list.field === 6 || list.field === 7) return wholeElements(values, list.field === 6 ? 4 : 8);
  if (list.field === 1) return bools(values);
  return integers(values, list.carries.includes(dataType) ? elementBytes(dataType) : 8);
}

function single(contents: WireReader, wireType: number): WireReader {
  const from = contents.at;
  contents.skip(wireType);
  return new WireReader(contents.buffer, from, contents.at);
}

function wholeElements(values: WireReader, bytes: number): Buffer {
  const length = values.end - values.at;
  if (length % bytes !== 0)
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      `a packed list of ${bytes}-byte numbers has ${length} bytes`,
    );
  return values.buffer.subarray(values.at, values.end);
}

function bools(values: WireReader): Buffer {
  const buffer = Buffer.allocUnsafe(values.end - values.at);
  let at = 0;
  while (!values.done) buffer[at++] = values.bool() ? 1 : 0;
  return buffer.subarray(0, at);
}

function integers(values: WireReader, bytes: number): Buffer {
  // A value takes at least one byte of the message.
  const buffer = Buffer.allocUnsafe((values.end - values.at) * bytes);
  let at = 0;
  while (!values.done) {
    if (bytes === 8) buffer.writeBigUInt64LE(values.uint64(), at);
    else buffer.writeUIntLE(lowBytes(values.uint32(), bytes), at, bytes);
    at += bytes;
  }
  return buffer.subarray(0, at);
}

function lowBytes(value: number, bytes: number): number {
  return bytes === 4 ? value : value & (2 ** (8 * bytes) - 1);
}

function lengthPrefixed(element: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(4 + element.length);
  bytes.writeUInt32LE(element.length, 0);
  element.copy(bytes, 4);
  return bytes;
}
