import type { IndexedModel } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { indexCommand } from './index-command.js';

const MODELS: readonly IndexedModel[] = [
  {
    name: 'digits',
    version: '1',
    state: 'READY',
    reason: '',
    loadFailure: '',
    properties: { author: 'me', a: '1', b: '2', notes: 'x'.repeat(50) },
  },
  {
    name: 'broken',
    version: '2',
    state: 'UNAVAILABLE',
    reason: 'no file\n',
    loadFailure: '',
    properties: {},
  },
  { name: 'other', version: '', state: '', reason: '', loadFailure: '', properties: {} },
];

async function shown(models: readonly IndexedModel[], ...argv: string[]): Promise<string> {
  const io = new FakeSubcommandIo();
  const repositoryIndex = ({ ready }: { ready?: boolean } = {}): Promise<IndexedModel[]> =>
    Promise.resolve(models.filter(({ state }) => !ready || state === 'READY'));
  await runCommand(
    indexCommand(io, () => ({ repositoryIndex, close: () => undefined })),
    ...argv,
  );
  return io.shown;
}

describe('inferd index', () => {
  it('shows what has become of each model, and a few of its properties', async () => {
    expect(await shown(MODELS)).toMatchInlineSnapshot(`
      "┌────────┬─────────┬─────────────┬────────────┬─────────┐
      │ Model  │ Version │ State       │ Properties │ Reason  │
      ├────────┼─────────┼─────────────┼────────────┼─────────┤
      │ digits │ 1       │ READY       │ author=me  │         │
      │        │         │             │ a=1        │         │
      │        │         │             │ b=2        │         │
      │        │         │             │ and 1 more │         │
      ├────────┼─────────┼─────────────┼────────────┼─────────┤
      │ broken │ 2       │ UNAVAILABLE │            │ no file │
      ├────────┼─────────┼─────────────┼────────────┼─────────┤
      │ other  │         │ not loaded  │            │         │
      └────────┴─────────┴─────────────┴────────────┴─────────┘
      "
    `);
  });

  it('shows no columns that have nothing to say', async () => {
    const plain = { ...MODELS[0]!, properties: {} };

    expect(await shown([plain])).toContain('│ Model  │ Version │ State │\n');
  });

  it('says of a model that serves why it could not be loaded anew, and of one that was never loaded', async () => {
    const text = await shown([
      { ...MODELS[0]!, loadFailure: 'no file' },
      { ...MODELS[2]!, loadFailure: 'no version' },
    ]);

    expect(text).toContain('│ serves as before; loading it anew failed: no file │');
    expect(text).toMatch(/│ other +│ +│ not loaded │ +│ no version +│/);
  });

  it('shows only what is ready, to those who ask for it', async () => {
    expect(await shown(MODELS, '--ready')).not.toContain('broken');
    expect(await shown([], '--ready')).toBe('No model is ready.\n');
    expect(await shown([])).toBe('There is no model in the repositories.\n');
  });

  it('has all of it for programs', async () => {
    expect(JSON.parse(await shown(MODELS, '--json'))).toEqual({
      models: [MODELS[0], MODELS[1], { ...MODELS[2], version: null, state: 'NOT_LOADED' }],
    });
  });
});
