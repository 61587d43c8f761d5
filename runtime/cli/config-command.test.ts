import type { ExplainedModelConfig } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { configCommand } from './config-command.js';

const EXPLAINED: ExplainedModelConfig = {
  config: {
    name: 'm',
    platform: '',
    backend: 'onnxruntime',
    maxBatchSize: 0,
    input: [{ name: 'x', dataType: 'TYPE_FP32', dims: [64], optional: false }],
    output: [],
  },
  origins: {
    name: 'default',
    backend: 'load call',
    max_batch_size: 'file',
    'input[0].name': 'model',
    'input[0].data_type': 'model',
    'input[0].dims': 'model',
    'input[0].optional': 'file',
  },
};

async function shown(explained: ExplainedModelConfig, ...argv: string[]): Promise<string> {
  const io = new FakeSubcommandIo();
  const explainModelConfig = (): Promise<ExplainedModelConfig> => Promise.resolve(explained);
  await runCommand(
    configCommand(io, () => ({ explainModelConfig, close: () => undefined })),
    ...argv,
  );
  return io.shown;
}

const CONFIG = {
  name: 'm',
  backend: 'onnxruntime',
  max_batch_size: 0,
  input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [64] }],
};

describe('inferd config', () => {
  it('is a config.pbtxt', async () => {
    expect(await shown(EXPLAINED, 'm')).toBe(`name: "m"
backend: "onnxruntime"
max_batch_size: 0
input { name: "x" data_type: TYPE_FP32 dims: [ 64 ] }
`);
  });

  it('tells where every value comes from, zeros included', async () => {
    expect(await shown(EXPLAINED, 'm', '--explain')).toBe(`name = "m"                      # default
backend = "onnxruntime"         # load call
max_batch_size = 0              # config.pbtxt
input[0].name = "x"             # the model
input[0].data_type = TYPE_FP32  # the model
input[0].dims = [ 64 ]          # the model
input[0].optional = false       # config.pbtxt
`);
  });

  it('says so where the server does not know the origins', async () => {
    const text = await shown({ ...EXPLAINED, origins: {} }, 'm', '--explain');

    expect(text).toContain('name = "m"                      # unknown: the server does not say\n');
  });

  it.each([['--json'], ['--format=json']])('is JSON with %s', async (flag) => {
    expect(JSON.parse(await shown(EXPLAINED, 'm', flag))).toEqual(CONFIG);
    expect(JSON.parse(await shown(EXPLAINED, 'm', flag, '--explain'))).toEqual({
      config: CONFIG,
      origins: EXPLAINED.origins,
    });
  });

  it('knows no other formats', async () => {
    await expect(shown(EXPLAINED, 'm', '--format=xml')).rejects.toThrow('pbtxt, json');
  });
});
