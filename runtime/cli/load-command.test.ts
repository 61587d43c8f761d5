import { InferdError, type IndexedModel, type LoadOptions } from 'inferd-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand, settled } from '../testing/fake-subcommand-io.js';
import { loadCommand } from './load-command.js';
import { SubcommandFailed } from './subcommand-failed.js';

class Server {
  readonly loads: [model: string, options: LoadOptions | undefined][] = [];
  readonly failures = new Map<string, InferdError>();
  gate: Promise<void> = Promise.resolve();
  isClosed = false;

  async loadModel(model: string, options?: LoadOptions): Promise<void> {
    this.loads.push([model, options]);
    await this.gate;
    const failure = this.failures.get(model);
    if (failure) throw failure;
  }

  repositoryIndex(): Promise<IndexedModel[]> {
    const ready = { state: 'READY', reason: '', loadFailure: '', properties: {} } as const;
    return Promise.resolve([
      { name: 'a', version: '1', ...ready },
      { name: 'a', version: '2', ...ready },
      { name: 'b', version: '1', ...ready },
      { name: 'd', version: '', ...ready, state: '', loadFailure: 'config.pbtxt:1:1: no' },
    ]);
  }

  close(): void {
    this.isClosed = true;
  }
}

let io: FakeSubcommandIo;
let server: Server;

beforeEach(() => {
  io = new FakeSubcommandIo();
  server = new Server();
});

function load(...argv: string[]): Promise<void> {
  return runCommand(
    loadCommand(io, () => server),
    ...argv,
  );
}

describe('inferd load', () => {
  it('tells what is ready afterwards and how long it took', async () => {
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const loaded = load('a');
    await settled();
    io.clock.advance(1500);
    open();
    await loaded;

    expect(io).toMatchObject({ shown: 'a: versions 1, 2 ready after 1.50 s\n', told: '' });
    expect(server.isClosed).toBe(true);
  });

  it('tries all, and tells each failure in the words of the server', async () => {
    const text = "load failed for model 'b': version 1 is at UNAVAILABLE state: no file;\n";
    server.failures.set('b', new InferdError('INVALID_ARGUMENT', text));
    server.failures.set('c', new InferdError('INTERNAL', "failed to load 'c'"));

    await expect(load('c', 'b', 'a', 'a')).rejects.toEqual(new SubcommandFailed());

    expect(server.loads.map(([model]) => model)).toEqual(['c', 'b', 'a']);
    expect(io.shown).toBe('a: versions 1, 2 ready after 0 µs\n');
    expect(io.told).toBe(
      "inferd: c: failed to load 'c'\n" +
        `inferd: b: ${text.trim()}\n` +
        '  still ready: version 1\n',
    );
  });

  it('adds what the index knows', async () => {
    server.failures.set('d', new InferdError('INTERNAL', "failed to load 'd'"));

    await expect(load('d')).rejects.toThrow();

    expect(io.told).toBe("inferd: d: failed to load 'd'\n  config.pbtxt:1:1: no\n");
  });

  it('says once that there is no server', async () => {
    const text = 'No connection established. Last error: Error: connect ECONNREFUSED 1.2.3.4:1.';
    const failure = new InferdError('UNAVAILABLE', text);
    for (const name of ['a', 'b']) server.failures.set(name, failure);

    await expect(load('a', 'b')).rejects.toBe(failure);
    expect(io.told).toBe('');
  });

  it('says what to do where the server loads nothing on demand', async () => {
    const text = 'explicit model load / unload is not allowed if polling is enabled';
    server.failures.set('c', new InferdError('UNAVAILABLE', text));

    await expect(load('c')).rejects.toThrow();
    expect(io.told).toBe(
      `inferd: c: ${text}. Start the server with --model-control-mode=explicit to load and unload models\n`,
    );
  });

  it('has all of it for programs', async () => {
    server.failures.set('c', new InferdError('INTERNAL', 'why\n'));

    await expect(load('a', 'c', '--json')).rejects.toThrow();

    expect(JSON.parse(io.shown)).toEqual({
      models: [
        { name: 'a', ok: true, ms: 0, versions: ['1', '2'] },
        { name: 'c', ok: false, ms: 0, versions: [], error: { code: 'INTERNAL', message: 'why' } },
      ],
    });
    expect(io.told).toBe('');
  });

  it.each([
    ['people', [], true, /^\r.*loading a \(1 s\)\r.*loading a \(2 s\)\r[^a-z]*$/],
    ['programs', ['--json'], true, /^$/],
    ['files', [], false, /^$/],
  ])('shows %s how it goes on', async (_whom, argv, isTerminal, told) => {
    io.isTerminal.errors = isTerminal;
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const loaded = load('a', ...argv);
    await settled();
    io.clock.advance(2100);
    open();
    await loaded;

    expect(io.told).toMatch(told);
    expect(io.clock.timerCount).toBe(0);
  });
});

describe('what inferd load sends along', () => {
  it('is a configuration in text format, as JSON, and files', async () => {
    io.files.set('c.pbtxt', 'max_batch_size: 0\ninput { dims: [ -1 ] }');
    io.files.set('m.onnx', Buffer.of(1, 2));

    await load('a', '--config', 'c.pbtxt', '--file', '1/model.onnx=m.onnx');

    const [[, options]] = server.loads as [[string, LoadOptions]];
    expect(JSON.parse(options.config as string)).toEqual({
      max_batch_size: 0,
      input: [{ dims: [-1] }],
    });
    expect(options.files).toEqual({ '1/model.onnx': Buffer.of(1, 2) });
  });

  it('is a configuration in JSON as it is', async () => {
    io.files.set('c.json', '\n{"max_batch_size": 2}');

    await load('a', '--config=c.json');

    expect(server.loads).toEqual([['a', { config: '\n{"max_batch_size": 2}', files: {} }]]);
  });

  it.each([
    [['a', '--config', 'bad.pbtxt'], /^--config: bad\.pbtxt:1:1: nmae: .*; bad\.pbtxt:2:17: /],
    [['a', '--config', 'bad.json'], /^--config: bad\.json: .*JSON/],
    [['a', '--config', 'nowhere'], /^--config: ENOENT: /],
    [['a', '--file', '1/model.onnx=bad.json'], /^--file needs --config: /],
    [['a', '--config', 'ok', '--file', 'x'], /^--file takes 1\/model\.onnx=FILE, got 'x'$/],
    [['a', 'b', '--config', 'ok'], /^--config and --file are for one model$/],
  ])('is looked at before: %j', async (argv, text) => {
    io.files.set('ok', '');
    io.files.set('bad.pbtxt', 'nmae: "m"\nmax_batch_size: many');
    io.files.set('bad.json', '{');

    await expect(load(...argv)).rejects.toThrow(text);
    expect(server.loads).toEqual([]);
  });
});
