import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { ineffectiveSettings, readSessionSettings } from './session-settings.js';

function parameters(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `parameters { key: "${key}" value { string_value: "${value}" } }`)
    .join('\n');
}

describe('readSessionSettings', () => {
  it('has defaults', () => {
    expect(readSessionSettings({}).settings).toEqual({
      intraOpThreads: 0,
      interOpThreads: 0,
      parallelExecution: false,
      graphOptimization: 'all',
      memArena: false,
      memPattern: true,
      entries: {},
    });
  });

  it('reads the parameters that Triton reads, and passes on those of ONNX Runtime', () => {
    const text = parameters({
      intra_op_thread_count: '3',
      inter_op_thread_count: '2',
      execution_mode: '1',
      enable_mem_arena: '1',
      enable_mem_pattern: '0',
      'session.intra_op.allow_spinning': '1',
      note: 'anything',
    });

    expect(readSessionSettings(parseModelConfig(text).message)).toMatchObject({
      problems: [],
      settings: {
        intraOpThreads: 3,
        interOpThreads: 2,
        parallelExecution: true,
        memArena: true,
        memPattern: false,
        entries: { 'session.intra_op.allow_spinning': '1' },
      },
    });
  });

  it.each([
    [-1, 'basic'],
    [0, 'all'],
    [1, 'extended'],
    [2, 'disabled'],
  ])('takes graph level %i for %s', (level, expected) => {
    const { message } = parseModelConfig(`optimization { graph { level: ${level} } }`);

    expect(readSessionSettings(message).settings.graphOptimization).toBe(expected);
  });

  it('finds parameters that are no numbers', () => {
    const { message } = parseModelConfig(
      parameters({ intra_op_thread_count: 'many', execution_mode: '-1' }),
    );

    expect(readSessionSettings(message).problems.map((problem) => problem.message)).toEqual([
      "failed to convert intra_op_thread_count 'many' to integral number",
      "failed to convert execution_mode '-1' to integral number",
    ]);
  });
});

describe('ineffectiveSettings', () => {
  it('says what a configuration asks for in vain', () => {
    const { message } = parseModelConfig(`
      optimization { cuda { graphs: true } execution_accelerators { cpu_execution_accelerator { name: "openvino" } } }
      ${parameters({ gpu_mem_limit: '1' })}`);

    expect(ineffectiveSettings(message)).toEqual([
      "execution accelerator 'openvino' is not available and ignored",
      'optimization.cuda is known only to CUDA graphs and ignored',
      "parameter 'gpu_mem_limit' cannot reach ONNX Runtime from Node and is ignored",
    ]);
  });
});
