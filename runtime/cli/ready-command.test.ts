import { InferdError, type IndexedModel } from 'inferd-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand, settled } from '../testing/fake-subcommand-io.js';
import { readyCommand, type ReadySource } from './ready-command.js';
import { SubcommandFailed } from './subcommand-failed.js';

const AWAY = new InferdError('UNAVAILABLE', 'No connection established.', { address: 'there:1' });
const LATE = new InferdError('DEADLINE_EXCEEDED', 'too late');

class Server implements ReadySource {
  /** What it says the next times; the last one from then on. */
  answers: (boolean | InferdError)[] = [true];
  models: [name: string, version: string, state: IndexedModel['state'], why?: string][] = [];
  readonly asked: unknown[] = [];

  isServerReady(options: object): Promise<boolean> {
    this.asked.push(options);
    return this.#answer();
  }

  isModelReady(...call: [string, object?]): Promise<boolean> {
    this.asked.push(call);
    return this.#answer();
  }

  repositoryIndex(): Promise<IndexedModel[]> {
    return Promise.resolve(
      this.models.map(([name, version, state, why = '']) => ({
        name,
        version,
        state,
        reason: state === '' ? '' : why,
        loadFailure: state === '' ? why : '',
        properties: {},
      })),
    );
  }

  close(): void {
    // Nothing is open.
  }

  async #answer(): Promise<boolean> {
    const answer = this.answers.length > 1 ? this.answers.shift()! : this.answers[0]!;
    await Promise.resolve();
    if (answer instanceof InferdError) throw answer;
    return answer;
  }
}

let io: FakeSubcommandIo;
let server: Server;

beforeEach(() => {
  io = new FakeSubcommandIo();
  server = new Server();
});

function ready(...argv: string[]): Promise<void> {
  return runCommand(
    readyCommand(io, () => server),
    ...argv,
  );
}

describe('inferd ready', () => {
  it('asks for the server, for a model or for a version', async () => {
    await ready('--url', 'there:1');
    await ready('m');
    await ready('m', '2');

    expect(server.asked).toEqual([
      { deadlineMs: 10_000 },
      ['m', { deadlineMs: 10_000 }],
      ['m', { deadlineMs: 10_000, version: '2' }],
    ]);
    expect(io.shown).toBe('the server at there:1 is ready\nm is ready\nversion 2 of m is ready\n');
  });

  it.each([
    [
      'the server',
      [],
      'n version 1 is LOADING; m version 3 is UNAVAILABLE (no file); q could not be loaded (no version)',
    ],
    ['a model that could not be read', ['q'], 'it could not be loaded: no version'],
    ['a model', ['m'], 'version 1 is READY; version 3 is UNAVAILABLE (no file)'],
    ['a version', ['m', '3'], 'version 3 is UNAVAILABLE (no file)'],
    ['a version that is not there', ['m', '7'], 'the server knows versions 1, 3 of it'],
    ['a model that was never loaded', ['o'], 'it is not loaded; inferd load o'],
    ['a model that is not there', ['p'], 'the server knows no model of that name'],
  ])('says why %s is not ready', async (_what, argv, why) => {
    server.answers = [false];
    server.models = [
      ['n', '1', 'LOADING'],
      ['m', '1', 'READY'],
      ['m', '3', 'UNAVAILABLE', 'no file\n'],
      ['o', '', ''],
      ['q', '', '', 'no version'],
    ];

    await expect(ready(...argv)).rejects.toThrow(`is not ready: ${why}`);
    expect(io.shown).toBe('');
  });

  it('says nothing to those who want only the exit code', async () => {
    await ready('m', '--quiet');
    server.answers = [false];
    await expect(ready('m', '--quiet')).rejects.toEqual(new SubcommandFailed());
    server.answers = [AWAY];
    await expect(ready('m', '--quiet')).rejects.toEqual(new SubcommandFailed());

    expect(io).toMatchObject({ shown: '', told: '' });
  });

  it('tells programs the reason', async () => {
    await ready('--json');
    server.answers = [AWAY];
    await expect(ready('--json')).rejects.toEqual(new SubcommandFailed());

    expect(io.shown).toMatch(/^\{\s+"ready": true,\s+"reason": ""\s+\}\n\{/);
    expect(io.shown).toContain('"reason": "no server answers at there:1');
  });
});

describe('inferd ready --wait', () => {
  it('asks until the answer is yes, also a server that is not there yet', async () => {
    server.answers = [AWAY, LATE, false, true];
    const asked = ready('m', '--wait', '60');
    for (let turn = 0; turn < 4; turn++) {
      await settled();
      io.clock.advance(200);
    }
    await asked;

    expect(io.shown).toBe('m is ready\n');
    expect(server.asked).toHaveLength(4);
  });

  it('gives up when the time is over, with what it heard last', async () => {
    server.answers = [AWAY, false, LATE];
    const asked = ready('m', '--wait=0.5').catch((error: unknown) => error);
    for (let turn = 0; turn < 3; turn++) {
      await settled();
      io.clock.advance(200);
    }

    expect(await asked).toEqual(
      new SubcommandFailed(
        'm is not ready: the server knows no model of that name; inferd index lists them',
      ),
    );
    expect(server.asked.at(-1)).toEqual(['m', { deadlineMs: 100 }]);
    expect(io.clock.timerCount).toBe(0);
  });

  it('fails for what waiting does not mend', async () => {
    server.answers = [new InferdError('INVALID_ARGUMENT', 'no version number')];

    await expect(ready('m', 'x', '--wait', '9')).rejects.toThrow('no version number');
  });

  it.each(['soon', '-1', ''])('takes seconds, not %j', async (text) => {
    await expect(ready(`--wait=${text}`)).rejects.toThrow('--wait takes a number of seconds');
  });

  it('shows people what it waits for', async () => {
    io.isTerminal.errors = true;
    server.answers = [false, true];
    const asked = ready('--wait=9', '--url=there:1');
    await settled();
    io.clock.advance(1000);
    await asked;

    expect(io.told).toContain('waiting for the server at there:1 (1 s)');
  });
});
