import { describe, expect, it } from 'vitest';
import { parseModelConfig } from './parse-model-config.js';
import { readSessionSettings } from './session-settings.js';

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

  it.each([
    [
      { 'session.__proto__.optimizedModelFilePath': '/tmp/x' },
      "'session.__proto__.optimizedModelFilePath' is no name that ONNX Runtime could know",
    ],
    [{ 'session.': '1' }, "'session.' is no name that ONNX Runtime could know"],
    [{ 'session.a': '1', 'session.a.b': '2' }, "'session.a' cannot be set beside 'session.a.b'"],
  ])('refuses entries that cannot be handed on: %j', (values, problem) => {
    const { message } = parseModelConfig(parameters(values));

    expect(readSessionSettings(message).problems.map((found) => found.message)).toEqual([problem]);
  });
});
