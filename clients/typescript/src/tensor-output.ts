// Outputs as they arrived -> typed arrays on the received bytes.

import {
  arrayOf,
  isDataType,
  type DataOf,
  type DataType,
  type FixedDataType,
} from './data-type.js';
import { decodeElements } from './bytes-elements.js';
import { InferdError } from './inferd-error.js';
import { parametersFrom, type ParameterMessage, type Parameters } from './parameter.js';
import { sizeOf } from './shape.js';

/** An output of an answer. For `DataType`, the union of all types: what `datatype` says tells what `data` is. */
export type OutputTensor<T extends DataType = DataType> = {
  readonly [D in T]: {
    readonly name: string;
    readonly datatype: D;
    readonly shape: readonly number[];
    /** Row-major. Arrays are views on the received message, so an answer is freed as a whole. BYTES are read as UTF-8. */
    readonly data: DataOf<D>;
    /** The bytes as received, for elements of BYTES that are no text: see `elementsOf`. */
    readonly raw: Buffer;
    readonly parameters: Parameters;
  };
}[T];

/** An output as the message has it. */
export interface OutputMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly (number | bigint)[];
  readonly parameters: Readonly<Record<string, ParameterMessage>>;
}

export function decodeOutput(message: OutputMessage, raw: Buffer): OutputTensor {
  const { name, datatype } = message;
  if (!isDataType(datatype))
    throw new InferdError(
      'INTERNAL',
      `output '${name}' has a datatype that is not known: '${datatype}'`,
    );
  const shape = message.shape.map(Number);
  const parameters = parametersFrom(message.parameters);
  const data = datatype === 'BYTES' ? texts(raw) : view(raw, datatype);
  if (data.length !== sizeOf(shape))
    throw new InferdError(
      'INTERNAL',
      `output '${name}' of shape [${shape.join(', ')}] has ${data.length} elements`,
    );
  return { name, datatype, shape, data, raw, parameters } as OutputTensor;
}

/** The elements of a BYTES output as bytes, for images and the like. */
export function elementsOf({ raw }: Pick<OutputTensor<'BYTES'>, 'raw'>): Buffer[] {
  return decodeElements(raw);
}

function texts(raw: Buffer): string[] {
  return decodeElements(raw).map((element) => element.toString());
}

function view(raw: Buffer, datatype: FixedDataType): DataOf<FixedDataType> {
  const array = arrayOf(datatype);
  const size = array.BYTES_PER_ELEMENT;
  if (raw.length % size !== 0)
    throw new InferdError('INTERNAL', `${raw.length} bytes are no whole number of ${datatype}`);
  // A typed array starts at a multiple of its element size; what does not has to be moved.
  const { buffer, byteOffset } = raw.byteOffset % size === 0 ? raw : Uint8Array.from(raw);
  return new array(buffer, byteOffset, raw.length / size) as DataOf<FixedDataType>;
}
