import type { ModelMetadata } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { metadataCommand } from './metadata-command.js';

const METADATA: ModelMetadata = {
  name: 'm',
  versions: ['1', '2'],
  platform: 'onnxruntime_onnx',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: [] }],
  properties: { 'metrics.accuracy': '0.99' },
};

async function shown(...argv: string[]): Promise<{ text: string; asked: unknown }> {
  const io = new FakeSubcommandIo();
  let asked: unknown;
  const modelMetadata = (...call: unknown[]): Promise<ModelMetadata> => {
    asked = call;
    return Promise.resolve(METADATA);
  };
  await runCommand(
    metadataCommand(io, () => ({ modelMetadata, close: () => undefined })),
    ...argv,
  );
  return { text: io.shown, asked };
}

describe('inferd metadata', () => {
  it('shows what goes in, what comes out and what is noted about the model', async () => {
    const { text, asked } = await shown('m');

    expect(asked).toEqual(['m', {}]);
    expect(text).toMatchInlineSnapshot(`
      "m, versions 1, 2, onnxruntime_onnx
      ┌────────┬──────┬───────┬──────────┐
      │        │ Name │ Type  │ Shape    │
      ├────────┼──────┼───────┼──────────┤
      │ input  │ x    │ FP32  │ [-1, 64] │
      ├────────┼──────┼───────┼──────────┤
      │ output │ y    │ BYTES │ []       │
      └────────┴──────┴───────┴──────────┘
      ┌──────────────────┬───────┐
      │ Property         │ Value │
      ├──────────────────┼───────┤
      │ metrics.accuracy │ 0.99  │
      └──────────────────┴───────┘
      "
    `);
  });

  it('asks for a version, and has all of it for programs', async () => {
    const { text, asked } = await shown('m', '2', '--json');

    expect(asked).toEqual(['m', { version: '2' }]);
    expect(JSON.parse(text)).toEqual(METADATA);
  });
});
