import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../config/model-config.js';
import { Call } from '../core/call.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import {
  RecordedReply,
  aModelConfig,
  aRequest,
  aTensor,
  lengthPrefixed,
  rawTensor,
} from '../testing/build.js';
import { validateInputs } from './validate-inputs.js';

const TWO = aModelConfig(`
  max_batch_size: 8
  input [ { name: "A" data_type: TYPE_FP32 dims: [ 2 ] }, { name: "B" data_type: TYPE_FP32 dims: [ -1 ] } ]
  output [ { name: "Y" data_type: TYPE_FP32 dims: [ 2 ] } ]`);
const UNBATCHED = aModelConfig(`
  input [ { name: "A" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
  output [ { name: "Y" data_type: TYPE_FP32 dims: [ 3 ] } ]`);
const STRINGS = aModelConfig(`
  max_batch_size: 4
  input [ { name: "S" data_type: TYPE_STRING dims: [ 2 ] } ]
  output [ { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] } ]`);

const NOTE =
  'NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input shape. If you want to specify the full shape including the batch dim in your input dims config, try setting max_batch_size to zero. See the model configuration docs for more info on max_batch_size.';

/** What reaches the model behind the layer, and what the caller is told. */
function pass(
  config: ModelConfig,
  overrides: Partial<InferenceRequest>,
  textOnly = true,
): { passed: InferenceRequest | undefined; error: string | undefined } {
  let passed: InferenceRequest | undefined;
  const model: Servable = { infer: (request) => void (passed = request) };
  const reply = new RecordedReply();
  const servable = validateInputs(config, { textOnly })(model);
  servable.infer(aRequest(overrides), new Call(0), reply);
  return { passed, error: reply.ends[0]?.message };
}

function errorOf(
  config: ModelConfig,
  inputs: Tensor[],
  outputs: string[] = [],
): string | undefined {
  const wanted = outputs.map((name) => ({ name, classCount: 0 }));
  return pass(config, { inputs, outputs: wanted, id: 'r' }).error;
}

const A = aTensor('A', [1, 2], [1, 2]);
const B = aTensor('B', [1, 1], [3]);

describe('validateInputs', () => {
  it('hands on a good request as it is', () => {
    const inputs = [A, B];

    expect(pass(TWO, { inputs }).passed?.inputs).toBe(inputs);
  });

  it('puts inputs into the order of the configuration, without touching the request', () => {
    const inputs = [B, A];

    expect(pass(TWO, { inputs }).passed?.inputs).toEqual([A, B]);
    expect(inputs).toEqual([B, A]);
  });

  it.each([
    [
      'an output that the model does not have',
      [A, B],
      ['Z'],
      "unexpected inference output 'Z' for model 'm'",
    ],
    [
      'outputs that the model does not have, the first by name',
      [A, B],
      ['Z', 'Y', 'X'],
      "unexpected inference output 'X' for model 'm'",
    ],
    [
      'a missing input',
      [A],
      [],
      "[request id: r] expected 2 inputs but got 1 inputs for model 'm'. Got input(s) ['A'], but missing required input(s) ['B']. Please provide all required input(s).",
    ],
    [
      'no input at all',
      [],
      [],
      "[request id: r] expected 2 inputs but got 0 inputs for model 'm'. Got input(s) [], but missing required input(s) ['A','B']. Please provide all required input(s).",
    ],
    [
      'an unknown input',
      [A, aTensor('C', [1, 1], [3])],
      [],
      "unexpected inference input 'C' for model 'm'",
    ],
    [
      'a tensor without a batch dimension',
      [aTensor('A', [], [1]), B],
      [],
      "[request id: r] input 'A' has no shape but model requires batch dimension for 'm'",
    ],
    [
      'batch sizes that differ',
      [A, aTensor('B', [2, 1], [3, 4])],
      [],
      "[request id: r] input 'A' batch size does not match other inputs for 'm'",
    ],
    [
      'a batch that is too large',
      [aTensor('A', [9, 2], []), aTensor('B', [9, 1], [])],
      [],
      "[request id: r] inference request batch-size must be <= 8 for 'm'",
    ],
    [
      'a negative batch',
      [aTensor('A', [-1, 2], []), aTensor('B', [-1, 1], [])],
      [],
      "[request id: r] inference request batch-size must be <= 8 for 'm'",
    ],
    [
      'an empty batch',
      [aTensor('A', [0, 2], []), aTensor('B', [0, 1], [])],
      [],
      "[request id: r] inference request batch-size must be >= 1 for 'm'",
    ],
    [
      'the wrong type',
      [rawTensor('A', 'INT32', { shape: [1, 2], data: new Uint8Array(8) }), B],
      [],
      "[request id: r] inference input 'A' data-type is 'INT32', but model 'm' expects 'FP32'",
    ],
    [
      'a type that does not exist',
      [rawTensor('A', 'INVALID', { shape: [1, 2], data: new Uint8Array(8) }), B],
      [],
      "[request id: r] inference input 'A' data-type is '<invalid>', but model 'm' expects 'FP32'",
    ],
    [
      'a size that is left open',
      [A, aTensor('B', [1, -1], [])],
      [],
      "[request id: r] All input dimensions should be specified for input 'B' for model 'm', got [1,-1]",
    ],
    [
      'the wrong shape',
      [aTensor('A', [1, 3], [1, 2, 3]), B],
      [],
      `[request id: r] unexpected shape for input 'A' for model 'm'. Expected [-1,2], got [1,3]. ${NOTE}`,
    ],
    [
      'too few bytes',
      [aTensor('A', [1, 2], [1]), B],
      [],
      "[request id: r] input byte size mismatch for input 'A' for model 'm'. Expected 8, got 4",
    ],
    [
      'a shape beyond all memory',
      [A, aTensor('B', [1, 2 ** 40], [1])],
      [],
      "[request id: r] input byte size mismatch for input 'B' for model 'm'. Expected 4398046511104, got 4",
    ],
    [
      'a size that is left open behind a wrong one',
      [A, aTensor('B', [1, 1, -1], [])],
      [],
      `[request id: r] unexpected shape for input 'B' for model 'm'. Expected [-1,-1], got [1,1,-1]. ${NOTE}`,
    ],
  ])('refuses %s', (...[, inputs, outputs, text]) => {
    expect(errorOf(TWO, inputs, outputs)).toBe(text);
  });

  it('names the input given last when several are wrong, in whatever order they are configured', () => {
    const wrong = [aTensor('A', [1, 3], [1, 2, 3]), aTensor('B', [1, 1, 1], [1])];

    expect(errorOf(TWO, wrong)).toContain("unexpected shape for input 'B'");
    expect(errorOf(TWO, wrong.toReversed())).toContain("unexpected shape for input 'A'");
    expect(errorOf(TWO, [aTensor('C', [1, 1], [1]), aTensor('D', [1, 1], [1])])).toContain("'D'");
    expect(errorOf(TWO, [A, B, aTensor('C', [1, 1], [1])])).toContain("Got input(s) ['C','B','A']");
  });

  it('leaves the note on batches out for a model without batching', () => {
    expect(errorOf(UNBATCHED, [aTensor('A', [2, 2], [])])).toBe(
      "[request id: r] unexpected shape for input 'A' for model 'm'. Expected [-1,3], got [2,2]. ",
    );
  });

  it('takes an empty tensor where a size may be anything', () => {
    expect(errorOf(UNBATCHED, [aTensor('A', [0, 3], [])])).toBeUndefined();
  });

  it('refuses sizes that no tensor has, also when a size of 0 leaves no bytes to count', () => {
    const open = aModelConfig(`
      input [ { name: "A" data_type: TYPE_FP32 dims: [ -1, -1 ] } ]
      output [ { name: "Y" data_type: TYPE_FP32 dims: [ 3 ] } ]`);

    expect(errorOf(open, [aTensor('A', [0, 2 ** 60], [])])).toContain('unexpected shape');
    expect(errorOf(open, [aTensor('A', [0, 7], [])])).toBeUndefined();
  });

  it('writes sizes beyond 2^53 without an exponent', () => {
    expect(errorOf(UNBATCHED, [aTensor('A', [2 ** 60, 3], [])])).toContain(
      'Expected 13835058055282163712, got 0',
    );
    expect(errorOf(UNBATCHED, [aTensor('A', [2 ** 62, 3], [])])).toContain(
      'Expected more than 18446744073709551615, got 0',
    );
  });

  it('names a request without an id as Triton does', () => {
    expect(pass(TWO, { inputs: [A] }).error).toMatch(
      /^\[request id: <id_unknown>\] expected 2 inputs/,
    );
  });

  describe('of strings', () => {
    const strings = (data: Uint8Array): string | undefined =>
      errorOf(STRINGS, [rawTensor('S', 'BYTES', { shape: [1, 2], data })]);

    it('takes elements of any text', () => {
      expect(strings(lengthPrefixed(['', 'é世 long enough to matter']))).toBeUndefined();
    });

    it.each([
      [
        'too few elements',
        lengthPrefixed(['a']),
        "[request id: r] expected 2 string elements for inference input 'S' for model 'm', got 1",
      ],
      [
        'too many elements',
        lengthPrefixed(['a', 'b', 'c', 'd']),
        "[request id: r] unexpected number of string elements 3 for inference input 'S' for model 'm', expecting 2",
      ],
      [
        'bytes behind the last element',
        Buffer.concat([lengthPrefixed(['a', 'b']), Buffer.of(0)]),
        "[request id: r] incomplete string length indicator for inference input 'S' for model 'm', expecting 4 bytes but only 1 bytes available. Please make sure the string length indicator is in one buffer.",
      ],
      [
        'a length that is cut off',
        Buffer.concat([lengthPrefixed(['a']), Buffer.of(1, 0)]),
        "[request id: r] incomplete string length indicator for inference input 'S' for model 'm', expecting 4 bytes but only 2 bytes available. Please make sure the string length indicator is in one buffer.",
      ],
      [
        'an element that is cut off',
        lengthPrefixed(['a', 'long']).subarray(0, -1),
        "incomplete string data for inference input 'S', expecting string of length 4 but only 3 bytes available",
      ],
      [
        'too few elements, the last of them cut off',
        lengthPrefixed(['long']).subarray(0, -1),
        "[request id: r] expected 2 string elements for inference input 'S' for model 'm', got 1",
      ],
      [
        'a length beyond all memory',
        Buffer.concat([lengthPrefixed(['a']), Buffer.of(255, 255, 255, 255)]),
        "incomplete string data for inference input 'S', expecting string of length 4294967295 but only 0 bytes available",
      ],
    ])('refuses %s', (_what, data, text) => {
      expect(strings(data)).toBe(text);
    });

    it.each([
      ['a NUL byte', ['ok', 'x\0y'], 'string element 1 .* has a NUL byte at position 1'],
      [
        'a NUL byte behind other letters',
        ['é\0', ''],
        'string element 0 .* has a NUL byte at position 2',
      ],
      [
        'bytes that are no text',
        [Buffer.of(0xff, 0xfe), 'b'],
        'string element 0 .* has bytes that are not UTF-8',
      ],
    ])('refuses %s where the model takes text only', (_what, texts, pattern) => {
      expect(strings(lengthPrefixed(texts))).toMatch(new RegExp(pattern));
    });

    it('hands on any bytes where the model takes them', () => {
      const data = lengthPrefixed([Buffer.of(0, 255), 'b']);
      const inputs = [rawTensor('S', 'BYTES', { shape: [1, 2], data })];

      expect(pass(STRINGS, { inputs }, false).error).toBeUndefined();
    });
  });

  it('lets optional inputs be missing and keeps the order of the rest', () => {
    const config = aModelConfig(`
      input [ { name: "A" data_type: TYPE_FP32 dims: 1 optional: true }, { name: "B" data_type: TYPE_FP32 dims: 1 },
              { name: "C" data_type: TYPE_FP32 dims: 2 } ]`);
    const [b, c] = [aTensor('B', [1], [1]), aTensor('C', [2], [1, 2])];

    const a = aTensor('A', [1], [0]);

    expect(pass(config, { inputs: [c, b] }).passed?.inputs).toEqual([b, c]);
    expect(pass(config, { inputs: [c, b, a] }).passed?.inputs).toEqual([a, b, c]);
    expect(errorOf(config, [a, c])).toContain("missing required input(s) ['B']");
    expect(errorOf(config, [b, aTensor('C', [1], [0])])).toContain(
      "unexpected shape for input 'C'",
    );
  });

  it('says how many inputs there may be when some are optional', () => {
    const config = aModelConfig(`
      input [ { name: "A" data_type: TYPE_FP32 dims: 1 }, { name: "B" data_type: TYPE_FP32 dims: 1 optional: true } ]`);

    expect(errorOf(config, [])).toContain(
      "expected number of inputs between 1 and 2 but got 0 inputs for model 'm'. Got input(s) [], but missing required input(s) ['A'].",
    );
  });
});
