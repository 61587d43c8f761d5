import { describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { isSubcommand } from './is-subcommand.js';
import { typesCommand, type ModelSource } from './types-command.js';

class Fixture implements ModelSource {
  readonly io = new FakeSubcommandIo();
  url = '';
  isClosed = false;
  ready = ['b', 'a', 'a'];

  run(...argv: string[]): Promise<void> {
    const connect = (url: string): ModelSource => {
      this.url = url;
      return this;
    };
    return runCommand(typesCommand(this.io, connect), ...argv);
  }

  modelMetadata(name: string): ReturnType<ModelSource['modelMetadata']> {
    const metadata = { name, versions: ['1'], platform: 'p', properties: {} };
    return Promise.resolve({ ...metadata, inputs: [], outputs: [] });
  }

  modelConfig(name: string): ReturnType<ModelSource['modelConfig']> {
    const config = { name, platform: '', backend: '', maxBatchSize: 0, input: [], output: [] };
    return Promise.resolve(config);
  }

  repositoryIndex(): ReturnType<ModelSource['repositoryIndex']> {
    return Promise.resolve(this.ready.map((name) => ({ name })));
  }

  close(): void {
    this.isClosed = true;
  }
}

describe('inferd types', () => {
  it('shows the models it is told, of the server on this machine', async () => {
    const fixture = new Fixture();

    await fixture.run('m');

    expect(fixture.io.shown).toContain("typedModel('m'");
    expect(fixture).toMatchObject({ url: 'localhost:8001', isClosed: true, io: { told: '' } });
  });

  it('takes every model that is ready, once, when it is told none', async () => {
    const fixture = new Fixture();

    await fixture.run();

    expect(fixture.io.shown.match(/typedModel\('\w+'/g)).toEqual([
      "typedModel('a'",
      "typedModel('b'",
    ]);
  });

  it('writes a file and says so', async () => {
    const fixture = new Fixture();

    await fixture.run('m', '--out', 'models.ts', '--url=other:1');

    expect(fixture.io.files.get('models.ts')).toContain("typedModel('m'");
    expect(fixture).toMatchObject({
      io: { shown: '', told: 'wrote models.ts: m\n' },
      url: 'other:1',
    });
  });

  it('says that no model is ready', async () => {
    const fixture = new Fixture();
    fixture.ready = [];

    await expect(fixture.run()).rejects.toThrow('no model is ready');
    expect(fixture.isClosed).toBe(true);
  });

  it('asks the server that the environment names, unless it is told another', async () => {
    const fixture = new Fixture();
    fixture.io.environment['INFERD_URL'] = 'there:1';

    await fixture.run('m');

    expect(fixture.url).toBe('there:1');
  });
});

describe('a subcommand', () => {
  it.each([
    [['types'], true],
    [['nonsense'], true],
    [['--model-repository=models'], false],
    [['-h'], false],
    [[''], false],
    [[], false],
  ])('is what %j begins with: %s', (argv, answer) => {
    expect(isSubcommand(argv)).toBe(answer);
  });
});
