import { InferdError, type UnloadOptions } from 'inferd-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { unloadCommand, type UnloadSource } from './unload-command.js';

let io: FakeSubcommandIo;
let unloads: [model: string, options: UnloadOptions | undefined][];

beforeEach(() => {
  io = new FakeSubcommandIo();
  unloads = [];
});

const server: UnloadSource & { close(): void } = {
  unloadModel: (model, options) => {
    unloads.push([model, options]);
    const refused = new InferdError('UNAVAILABLE', 'not now\n');
    return model === 'busy' ? Promise.reject(refused) : Promise.resolve();
  },
  repositoryIndex: () =>
    Promise.resolve(
      ['a', 'b', 'busy'].map((name) => ({
        name,
        version: '1',
        state: 'READY',
        reason: '',
        loadFailure: '',
        properties: {},
      })),
    ),
  close: () => undefined,
};

function unload(...argv: string[]): Promise<void> {
  return runCommand(
    unloadCommand(io, () => server),
    ...argv,
  );
}

describe('inferd unload', () => {
  it('unloads models, with those they are made of if it is told to', async () => {
    await unload('a', 'b', '--dependents');

    expect(unloads).toEqual([
      ['a', { unloadDependents: true }],
      ['b', { unloadDependents: true }],
    ]);
    expect(io).toMatchObject({ shown: 'a: unloaded\nb: unloaded\n', told: '' });
  });

  it('tries all, and knows a name that is misspelt', async () => {
    await expect(unload('nope', 'busy', 'a')).rejects.toThrow();

    expect(unloads.map(([model]) => model)).toEqual(['busy', 'a']);
    expect(io.shown).toBe('a: unloaded\n');
    expect(io.told).toBe(
      'inferd: nope: the server knows no such model; inferd index lists those it knows\n' +
        'inferd: busy: not now\n',
    );
  });

  it('has all of it for programs', async () => {
    await expect(unload('a', 'busy', '--json')).rejects.toThrow();

    expect(JSON.parse(io.shown)).toEqual({
      models: [
        { name: 'a', ok: true },
        { name: 'busy', ok: false, error: { code: 'UNAVAILABLE', message: 'not now' } },
      ],
    });
  });
});
