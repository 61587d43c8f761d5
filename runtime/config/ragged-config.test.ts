import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { raggedConfig, type RaggedConfig } from './ragged-config.js';

function compiled(text: string): RaggedConfig | undefined {
  return raggedConfig(parseModelConfig(text).message);
}

describe('raggedConfig', () => {
  it('is not there for a model without any', () => {
    expect(compiled('max_batch_size: 4 input { name: "x" dims: -1 }')).toBeUndefined();
  });

  it('knows inputs by their places', () => {
    const ragged = compiled(`
      input [ { name: "a" }, { name: "b" allow_ragged_batch: true } ]
      output [ { name: "y" }, { name: "z" } ]
      batch_input [ { kind: BATCH_ITEM_SHAPE target_name: ["s", "t"] data_type: TYPE_FP32 source_input: "b" },
                    { target_name: "n" data_type: TYPE_INT32 source_input: "a" } ]
      batch_output [ { target_name: ["y", "z"] source_input: "b" } ]`);

    expect(ragged).toEqual({
      inputs: new Set([1]),
      batchInputs: [
        { kind: 'BATCH_ITEM_SHAPE', dataType: 'FP32', targets: ['s', 't'], source: 1 },
        { kind: 'BATCH_ELEMENT_COUNT', dataType: 'INT32', targets: ['n'], source: 0 },
      ],
      scattered: new Map([
        ['y', 1],
        ['z', 1],
      ]),
    });
  });

  it('leaves out what the server would make for nobody', () => {
    const ragged = compiled(
      'input { name: "a" } batch_input { data_type: TYPE_INT32 source_input: "a" }',
    );

    expect(ragged?.batchInputs).toEqual([]);
  });
});
