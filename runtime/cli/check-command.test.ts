import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand, settled } from '../testing/fake-subcommand-io.js';
import { checkCommand } from './check-command.js';
import type { CheckOptions, RepositoryCheck } from './repository-check.js';
import { SubcommandFailed } from './subcommand-failed.js';

const GOOD: RepositoryCheck = { models: 1, versions: 2, problems: [], warnings: [] };
const WARNED = { ...GOOD, warnings: [{ model: 'm', path: '', message: 'it is ignored' }] };
const BAD: RepositoryCheck = {
  models: 2,
  versions: 2,
  problems: [
    { model: 'n', path: 'input[0].dims', line: 3, column: 7, message: 'expected a number' },
    { model: 'm', version: 1, path: '', message: 'no file\n' },
  ],
  warnings: WARNED.warnings,
};

let io: FakeSubcommandIo;
let how: CheckOptions | undefined;

beforeEach(() => {
  io = new FakeSubcommandIo();
});

function check(
  found: RepositoryCheck | Promise<RepositoryCheck>,
  ...argv: string[]
): Promise<void> {
  const command = checkCommand(io, (_directory, options) => {
    how = options;
    return Promise.resolve(found);
  });
  return runCommand(command, 'models', ...argv);
}

describe('inferd check', () => {
  it('says that all is good', async () => {
    await check(GOOD);

    expect(io.shown).toBe('1 model, 2 versions: all good\n');
    expect(how?.configOnly).toBe(false);
  });

  it('shows everything that is wrong, by model, and fails', async () => {
    await expect(check(BAD, '--config-only')).rejects.toEqual(new SubcommandFailed());

    expect(how?.configOnly).toBe(true);
    expect(io.shown).toMatchInlineSnapshot(`
      "┌───────┬─────────┬─────────┬────────────────────────────────────────────────────┐
      │ Model │ Version │ Kind    │ Finding                                            │
      ├───────┼─────────┼─────────┼────────────────────────────────────────────────────┤
      │ m     │ 1       │ problem │ no file                                            │
      ├───────┼─────────┼─────────┼────────────────────────────────────────────────────┤
      │ m     │         │ warning │ it is ignored                                      │
      ├───────┼─────────┼─────────┼────────────────────────────────────────────────────┤
      │ n     │         │ problem │ config.pbtxt:3:7: input[0].dims: expected a number │
      └───────┴─────────┴─────────┴────────────────────────────────────────────────────┘
      2 models, 2 versions: 2 problems, 1 warning
      "
    `);
  });

  it('fails for warnings only if it is told to', async () => {
    await check(WARNED);
    await expect(check(WARNED, '--strict')).rejects.toEqual(new SubcommandFailed());
  });

  it('has all of it for programs', async () => {
    await expect(check(BAD, '--json')).rejects.toThrow();

    expect(JSON.parse(io.shown)).toEqual({ ok: false, ...BAD });
  });

  it('shows people what it looks at', async () => {
    io.isTerminal.errors = true;
    let done: (found: RepositoryCheck) => void = () => undefined;
    const checked = check(new Promise((resolve) => (done = resolve)));
    await settled();
    how!.progress('m 1');
    io.clock.advance(1000);
    done(GOOD);
    await checked;

    expect(io.told).toContain('checking m 1 (1 s)');
  });
});
