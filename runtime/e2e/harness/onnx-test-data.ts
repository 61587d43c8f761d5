// The test data of the ONNX project (https://github.com/onnx/onnx, onnx/backend/test/data), which is not part of this
// repository: a directory with simple/ and light/ in it, by default beside the checkout.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { lengthPrefixed } from '../../testing/build.js';
import { fp32, type RawTensor } from './requests.js';

export const ONNX_TEST_DATA =
  process.env['ONNX_TEST_DATA'] ??
  fileURLToPath(new URL('../../../../shared/onnx', import.meta.url));

/** Tensors have names only where their files do; otherwise they come in the model's order. */
export interface OnnxTestModel {
  readonly name: string;
  readonly modelFile: string;
  readonly inputs: readonly RawTensor[];
  readonly outputs: readonly RawTensor[];
}

/** Empty when the data are not there. */
export function onnxTestModels(): OnnxTestModel[] {
  if (!existsSync(ONNX_TEST_DATA)) return [];
  return [
    ...simpleModels(join(ONNX_TEST_DATA, 'simple')),
    ...lightModels(join(ONNX_TEST_DATA, 'light')),
  ];
}

function simpleModels(directory: string): OnnxTestModel[] {
  return readdirSync(directory).map((name) => {
    const data = join(directory, name, 'test_data_set_0');
    const tensors = (side: string): RawTensor[] =>
      readdirSync(data)
        .filter((file) => file.startsWith(`${side}_`))
        .sort()
        .map((file) => readTensor(join(data, file)));
    const modelFile = join(directory, name, 'model.onnx');
    return { name, modelFile, inputs: tensors('input'), outputs: tensors('output') };
  });
}

/** Networks with constant weights. Their input, an image, rises from 0 to 1; only the output comes as a file. */
function lightModels(directory: string): OnnxTestModel[] {
  const shape = [1, 3, 224, 224];
  const size = shape.reduce((product, count) => product * count);
  const image = fp32(
    '',
    shape,
    Array.from({ length: size }, (_, i) => i / size),
  );
  return readdirSync(directory)
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => {
      const name = file.slice(0, -'.onnx'.length);
      const outputs = [readTensor(join(directory, `${name}_output_0.pb`))];
      return { name, modelFile: join(directory, file), inputs: [image], outputs };
    });
}

// Field numbers and types: onnx.proto.
const TENSOR_PROTO = new protobuf.Type('TensorProto')
  .add(new protobuf.Field('dims', 1, 'int64', 'repeated'))
  .add(new protobuf.Field('dataType', 2, 'int32'))
  .add(new protobuf.Field('floatData', 4, 'float', 'repeated'))
  .add(new protobuf.Field('int32Data', 5, 'int32', 'repeated'))
  .add(new protobuf.Field('stringData', 6, 'bytes', 'repeated'))
  .add(new protobuf.Field('int64Data', 7, 'int64', 'repeated'))
  .add(new protobuf.Field('name', 8, 'string'))
  .add(new protobuf.Field('rawData', 9, 'bytes'))
  .add(new protobuf.Field('doubleData', 10, 'double', 'repeated'));

interface TensorProto {
  readonly dims: number[];
  readonly dataType: number;
  readonly floatData: number[];
  readonly int32Data: number[];
  readonly stringData: Uint8Array[];
  readonly int64Data: number[];
  readonly name: string;
  readonly rawData: Uint8Array;
  readonly doubleData: number[];
}

/** By TensorProto.DataType: the name in the v2 protocol, and the raw form of elements that are not given raw. */
const TYPES: Readonly<Record<number, [string, (tensor: TensorProto) => ArrayBufferLike]>> = {
  1: ['FP32', ({ floatData }) => Float32Array.from(floatData).buffer],
  6: ['INT32', ({ int32Data }) => Int32Array.from(int32Data).buffer],
  7: ['INT64', ({ int64Data }) => BigInt64Array.from(int64Data.map(BigInt)).buffer],
  8: ['BYTES', ({ stringData }) => Uint8Array.from(lengthPrefixed(stringData)).buffer],
  9: ['BOOL', ({ int32Data }) => Uint8Array.from(int32Data).buffer],
  11: ['FP64', ({ doubleData }) => Float64Array.from(doubleData).buffer],
};

function readTensor(path: string): RawTensor {
  const message = TENSOR_PROTO.decode(readFileSync(path));
  const options = { longs: Number, defaults: true, arrays: true };
  const tensor = TENSOR_PROTO.toObject(message, options) as TensorProto;
  const { name, dims: shape, dataType, rawData } = tensor;
  const type = TYPES[dataType];
  if (!type) throw new Error(`${path}: TensorProto.DataType ${dataType} is not known here`);
  const [datatype, encode] = type;
  return {
    name,
    datatype,
    shape,
    raw: rawData.length > 0 ? Buffer.from(rawData) : Buffer.from(encode(tensor)),
  };
}
