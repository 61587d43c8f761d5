import { describe, expect, it } from 'vitest';
import { ModelError, defineModel, isDefined, tensor, textsOf } from './model-api.js';

describe('defineModel', () => {
  it('makes what can be loaded', () => {
    expect(isDefined(defineModel({ execute: () => [] }))).toBe(true);
    expect(isDefined({ execute: () => [] })).toBe(false);
  });

  it.each([
    [{}, "defineModel needs 'execute', or 'stream' for a decoupled model"],
    [{ execute: 1 }, "'execute' of defineModel must be a function, got number"],
    [{ exec: () => [] }, "defineModel takes initialize, execute, stream, finalize; got 'exec'"],
  ])('refuses %o', (definition, text) => {
    expect(() => defineModel(definition as never)).toThrow(new ModelError(text));
  });
});

describe('tensor', () => {
  it('keeps a typed array and converts plain values', () => {
    const data = Float32Array.of(1, 2);

    expect(tensor('FP32', [2], data).data).toBe(data);
    expect(tensor('INT64', [1, 2], [1, 2n]).data).toEqual(BigInt64Array.of(1n, 2n));
    expect(tensor('BOOL', [2], [true, 0]).data).toEqual(Uint8Array.of(1, 0));
    expect(textsOf(tensor('BYTES', [1], ['ä']))).toEqual(['ä']);
  });

  it.each([
    ['FP32', [2, 2], [1], 'a tensor of shape [2,2] has 4 elements, got 1'],
    ['FP32', [-1], [], 'a shape is whole numbers from 0 on, got [-1]'],
    ['FP32', [1], ['1'], 'element 0 must be a number, got string'],
    ['INT64', [1], [0.5], 'element 0 must be a bigint or a whole number, got 0.5'],
    ['BYTES', [1], [7], 'element 0 must be a string or a Uint8Array, got number'],
    ['FP8', [1], [7], "there is no data type 'FP8'"],
  ])('refuses %s %o %o', (dataType, shape, elements, text) => {
    expect(() => tensor(dataType as 'FP32', shape, elements as never)).toThrow(
      new ModelError(text),
    );
  });
});
