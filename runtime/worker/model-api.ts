// What a model written in TypeScript imports: `import { defineModel } from 'inferd'`. Imports nothing, so that its declarations are
// one file. Everything here is documented in docs/typescript-models.md.

/** What the elements of a tensor are in JavaScript. FP16 and BF16 are widened when read and rounded when written. */
export interface TensorArrays {
  /** 0 or 1. */
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  FP16: Float32Array;
  BF16: Float32Array;
  FP32: Float32Array;
  FP64: Float64Array;
  /** One for each element, as its caller sent it; `request.texts(name)` reads them as UTF-8. */
  BYTES: Uint8Array[];
}

export type DataType = keyof TensorArrays;

/** The first dimension is the batch if the model's max_batch_size is more than 0. */
export interface Tensor<Type extends DataType = DataType> {
  readonly dataType: Type;
  readonly shape: readonly number[];
  readonly data: TensorArrays[Type];
}

export interface ModelRequest {
  /** Chosen by the caller; '' if none. */
  readonly id: string;
  /** The caller's own parameters. */
  readonly parameters: ReadonlyMap<string, boolean | number | bigint | string>;
  /** Names of the outputs the caller wants. */
  readonly outputs: readonly string[];
  /** Rows of this request; 1 if the model's max_batch_size is 0. */
  readonly rows: number;
  /** Where the configuration has sequence_batching: the step of a sequence that this request is. */
  readonly sequence: ModelSequence | undefined;
  /** Names of the inputs there are: all but optional ones that the caller left out. */
  readonly inputs: readonly string[];
  /** @throws ModelError if there is no such input, or it is of another type */
  input<Type extends DataType>(name: string, dataType: Type): Tensor<Type>;
  /** The elements of a BYTES input, as UTF-8. @throws ModelError as `input` */
  texts(name: string): string[];
}

/** A step of a sequence. All steps of one come to the same instance, one after the other. */
export interface ModelSequence {
  /** As its caller gave it. */
  readonly id: number | bigint | string;
  /** This is the first step. */
  readonly start: boolean;
  /** This is the last step. */
  readonly end: boolean;
  /**
   * The model's own: what it sets here the next step finds. Undefined in the first step; gone when the sequence is over, whether by
   * its last step or because nothing more came.
   */
  state: unknown;
}

export interface ModelResponse {
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** What another model is asked. */
export interface InferRequest {
  readonly model: string;
  /** Left out: the latest that is ready. */
  readonly version?: number;
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** Left out: all. */
  readonly outputs?: readonly string[];
  /** One of the requests of this call of `execute`, for which it is asked: with its deadline, and given up when its caller goes. */
  readonly request?: ModelRequest;
}

export interface InferResponse {
  readonly model: string;
  readonly version: number;
  readonly outputs: readonly string[];
  /** @throws ModelError if there is no such output, or it is of another type */
  output<Type extends DataType>(name: string, dataType: Type): Tensor<Type>;
  /** The elements of a BYTES output, as UTF-8. */
  texts(name: string): string[];
}

export interface Counter {
  /** `value` must not be negative; 1 unless given. */
  add(value?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** Shown at /metrics with the labels `model` and `version`. At most 64 names per model; the same name is the same metric. */
export interface Metrics {
  counter(name: string, help?: string): Counter;
  gauge(name: string, help?: string): Gauge;
  /** `bounds` ascending, at most 32. */
  histogram(name: string, bounds: readonly number[], help?: string): Histogram;
}

/** The server's log; console.log and the like go there, too. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface ModelContext {
  readonly model: string;
  readonly version: number;
  /** The version directory, for files beside model.ts. */
  readonly directory: string;
  /** `parameters` of config.pbtxt. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly maxBatchSize: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface ExecuteContext extends ModelContext {
  /** Asks another model of this server. @throws ModelError with the other model's text */
  infer(request: InferRequest): Promise<InferResponse>;
}

export interface StreamContext extends ExecuteContext {
  /** Aborted when nobody waits for the answers any more: for what waits for something else meanwhile. */
  readonly signal: AbortSignal;
}

export interface ModelDefinition {
  /** Before the first request; the model is ready when it has ended. */
  readonly initialize?: (context: ModelContext) => void | Promise<void>;
  /**
   * Answers a batch: one answer for each request, in their order. An Error in place of an answer fails that request; who throws
   * in a batch of several is asked again with one request at a time.
   */
  readonly execute?: (
    requests: readonly ModelRequest[],
    context: ExecuteContext,
  ) => readonly (ModelResponse | Error)[] | Promise<readonly (ModelResponse | Error)[]>;
  /** In place of `execute` where the configuration says `decoupled`: any number of answers to one request, as they come. */
  readonly stream?: (
    request: ModelRequest,
    context: StreamContext,
  ) => AsyncIterable<ModelResponse> | Iterable<ModelResponse>;
  /** When the model is unloaded. */
  readonly finalize?: (context: ModelContext) => void | Promise<void>;
}

export type ModelErrorCode = 'INVALID_ARGUMENT' | 'NOT_FOUND' | 'BACKEND_FAILED';

/** An error whose text and code callers get as they are. Any other error is the model's failure, BACKEND_FAILED. */
export class ModelError extends Error {
  readonly code: string;

  constructor(message: string, { code = 'BACKEND_FAILED' }: { code?: ModelErrorCode } = {}) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
  }
}

/** The default export of model.ts. @throws ModelError when it cannot be a model */
export function defineModel(definition: ModelDefinition): ModelDefinition {
  const members = Object.entries(definition);
  for (const [name, value] of members) {
    if (!MEMBERS.includes(name))
      throw new ModelError(`defineModel takes ${MEMBERS.join(', ')}; got '${name}'`);
    if (value !== undefined && typeof value !== 'function')
      throw new ModelError(`'${name}' of defineModel must be a function, got ${typeof value}`);
  }
  if (!definition.execute && !definition.stream)
    throw new ModelError("defineModel needs 'execute', or 'stream' for a decoupled model");
  const model = Object.freeze({ ...definition });
  DEFINED.add(model);
  return model;
}

type Elements<Type extends DataType> =
  | TensorArrays[Type]
  | readonly (Type extends 'BYTES'
      ? string | Uint8Array
      : Type extends 'INT64' | 'UINT64'
        ? bigint | number
        : Type extends 'BOOL'
          ? boolean | number
          : number)[];

/** A tensor of these elements, row by row. @throws ModelError if they are not as many as `shape` says, or of another kind */
export function tensor<Type extends DataType>(
  dataType: Type,
  shape: readonly number[],
  elements: Elements<Type>,
): Tensor<Type> {
  const convert = CONVERT[dataType] as ((elements: ArrayLike<unknown>) => unknown) | undefined;
  if (!convert) throw new ModelError(`there is no data type '${dataType}'`);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new ModelError(`a shape is whole numbers from 0 on, got [${shape.join(',')}]`);
  const count = shape.reduce((product, size) => product * size, 1);
  if (elements.length !== count) {
    const text = `a tensor of shape [${shape.join(',')}] has ${count} elements, got ${elements.length}`;
    throw new ModelError(text);
  }
  return { dataType, shape: [...shape], data: convert(elements) as TensorArrays[Type] };
}

/** The elements of a BYTES tensor, as UTF-8. */
export function textsOf({ data }: Tensor<'BYTES'>): string[] {
  return data.map((bytes) => DECODER.decode(bytes));
}

/** @internal */
export function isDefined(model: unknown): model is ModelDefinition {
  return typeof model === 'object' && model !== null && DEFINED.has(model);
}

// ---- details below; callers need not read ----

const MEMBERS = ['initialize', 'execute', 'stream', 'finalize'];
const DEFINED = new WeakSet<object>();
const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

interface NumberArray<Arrays> {
  new (elements: ArrayLike<number>): Arrays;
}

function numbers<Arrays extends object>(
  array: NumberArray<Arrays>,
): (elements: ArrayLike<unknown>) => Arrays {
  return (elements) => {
    if (elements instanceof array) return elements;
    for (let i = 0; i < elements.length; i++) checkElement(elements[i], i);
    return new array(elements as ArrayLike<number>);
  };
}

function checkElement(value: unknown, index: number): void {
  if (typeof value === 'number' || typeof value === 'boolean') return;
  throw new ModelError(`element ${index} must be a number, got ${typeof value}`);
}

function bigints<Arrays extends BigInt64Array | BigUint64Array>(array: {
  new (elements: bigint[]): Arrays;
}): (elements: ArrayLike<unknown>) => Arrays {
  return (elements) => {
    if (elements instanceof array) return elements;
    return new array(Array.from(elements, (value, index) => bigintOf(value, index)));
  };
}

function bigintOf(value: unknown, index: number): bigint {
  if (typeof value === 'bigint') return value;
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  throw new ModelError(`element ${index} must be a bigint or a whole number, got ${String(value)}`);
}

function bools(elements: ArrayLike<unknown>): Uint8Array {
  return Uint8Array.from({ length: elements.length }, (_, i) => (elements[i] ? 1 : 0));
}

function bytes(elements: ArrayLike<unknown>): Uint8Array[] {
  return Array.from(elements, (value, index) => {
    if (value instanceof Uint8Array) return value;
    if (typeof value === 'string') return ENCODER.encode(value);
    throw new ModelError(`element ${index} must be a string or a Uint8Array, got ${typeof value}`);
  });
}

const CONVERT: {
  readonly [Type in DataType]: (elements: ArrayLike<unknown>) => TensorArrays[Type];
} = {
  BOOL: bools,
  UINT8: numbers(Uint8Array),
  UINT16: numbers(Uint16Array),
  UINT32: numbers(Uint32Array),
  UINT64: bigints(BigUint64Array),
  INT8: numbers(Int8Array),
  INT16: numbers(Int16Array),
  INT32: numbers(Int32Array),
  INT64: bigints(BigInt64Array),
  FP16: numbers(Float32Array),
  BF16: numbers(Float32Array),
  FP32: numbers(Float32Array),
  FP64: numbers(Float64Array),
  BYTES: bytes,
};
