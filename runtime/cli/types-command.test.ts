import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { isSubcommand } from './is-subcommand.js';
import { typesCommand, type ModelSource } from './types-command.js';

class Fixture implements ModelSource {
  readonly written: Record<string, string> = {};
  shown = '';
  told = '';
  url = '';
  isClosed = false;
  ready = ['b', 'a', 'a'];

  async run(...argv: string[]): Promise<void> {
    const io = {
      write: (text: string) => void (this.shown += text),
      writeError: (text: string) => void (this.told += text),
      writeFile: (path: string, text: string) => Promise.resolve(void (this.written[path] = text)),
    };
    const connect = (url: string): ModelSource => {
      this.url = url;
      return this;
    };
    const program = new Command('inferd').addCommand(typesCommand(io, connect));
    await program.parseAsync(['types', ...argv], { from: 'user' });
  }

  modelMetadata(name: string): ReturnType<ModelSource['modelMetadata']> {
    const metadata = { name, versions: ['1'], platform: 'p', inputs: [], outputs: [] };
    return Promise.resolve(metadata);
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

    expect(fixture.shown).toContain("typedModel('m'");
    expect(fixture).toMatchObject({ url: 'localhost:8001', isClosed: true, told: '' });
  });

  it('takes every model that is ready, once, when it is told none', async () => {
    const fixture = new Fixture();

    await fixture.run();

    expect(fixture.shown.match(/typedModel\('\w+'/g)).toEqual(["typedModel('a'", "typedModel('b'"]);
  });

  it('writes a file and says so', async () => {
    const fixture = new Fixture();

    await fixture.run('m', '--out', 'models.ts', '--url=other:1');

    expect(fixture.written['models.ts']).toContain("typedModel('m'");
    expect(fixture).toMatchObject({ shown: '', told: 'wrote models.ts: m\n', url: 'other:1' });
  });

  it('says that no model is ready', async () => {
    const fixture = new Fixture();
    fixture.ready = [];

    await expect(fixture.run()).rejects.toThrow('no model is ready');
    expect(fixture.isClosed).toBe(true);
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
