// A model whose inputs and outputs are known to the compiler: what `inferd types` writes.

import type { InferdClient, InferOptions } from './client.js';
import type { DataType, DataOf } from './data-type.js';
import type { InferResult, InputSignatures, Inputs } from './infer-message.js';
import type { NestedElements, Tensor } from './tensor-input.js';

type Nested<E> = readonly (E | Nested<E>)[];

type ElementOf<T extends DataType> = T extends 'BYTES'
  ? string | Uint8Array
  : T extends 'INT64' | 'UINT64'
    ? number | bigint
    : T extends 'BOOL'
      ? boolean
      : number;

type Data<T extends DataType> =
  | Nested<ElementOf<T>>
  | (T extends 'BYTES' ? string : DataOf<T>)
  | (T extends 'FP16' | 'BF16' ? Float32Array : never)
  | (T extends 'UINT8' ? Uint8ClampedArray : never);

/** What an input of that datatype takes. A shape is only needed where the model leaves more than one size open. */
export type TypedInput<T extends DataType> =
  | Data<T>
  | { readonly data: Data<T> | Buffer; readonly shape?: readonly number[]; readonly datatype?: T };

export interface TypedInferOptions<Name> extends Omit<InferOptions, 'outputs' | 'classification'> {
  /** The outputs wanted; without a list, all of them. */
  readonly outputs?: readonly Name[];
}

/** A client, or a server in the same process, which is asked in the same way. */
export type InferSource = Pick<InferdClient, 'infer'>;

export type TypedModel<I, O> = <Name extends keyof O = keyof O>(
  client: InferSource,
  inputs: I,
  options?: TypedInferOptions<Name>,
) => Promise<InferResult<Pick<O, Name>>>;

/** `signatures` are the model's inputs by name. */
export function typedModel<I extends object, O extends object>(
  name: string,
  signatures: InputSignatures,
): TypedModel<I, O> {
  return async <Name extends keyof O>(
    client: InferSource,
    inputs: I,
    options: TypedInferOptions<Name> = {},
  ) => {
    const plain = { ...options, signatures } as InferOptions & { signatures: InputSignatures };
    const result: InferResult = await client.infer(name, inputs as Inputs, plain);
    return result as unknown as InferResult<Pick<O, Name>>;
  };
}

// A typed input is an input; the compiler says so here if that is ever no longer true.
type Assignable<A extends B, B> = A;
export type TypedInputIsAnInput = Assignable<
  TypedInput<DataType>,
  NestedElements | Tensor | Inputs[string]
>;
