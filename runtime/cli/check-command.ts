// `inferd check`: would a server load this repository? Needs no server and opens no port.

import type { Command } from 'commander';
import { withProgress } from './progress.js';
import type { CheckFinding, CheckRepository, RepositoryCheck } from './repository-check.js';
import { json, newCommand } from './server-command.js';
import { SubcommandFailed } from './subcommand-failed.js';
import type { SubcommandIo } from './subcommand-io.js';
import { table, wrapped } from './table.js';

interface CheckCommandOptions {
  readonly configOnly?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export function checkCommand(io: SubcommandIo, check: CheckRepository): Command {
  return newCommand('check')
    .argument('<DIR>', 'A model repository.')
    .usage('DIR [--config-only] [--strict] [--json]')
    .summary('Find everything that is wrong with a model repository.')
    .description(DESCRIPTION)
    .option('--config-only', 'Do not open the models.')
    .option('--strict', 'Fail for warnings, too.')
    .option('--json', 'Print JSON, for programs.')
    .action(async (directory: string, options: CheckCommandOptions) => {
      let now = directory;
      const progress = (what: string): void => void (now = what);
      const waiting = { what: () => `checking ${now}`, silent: options.json ?? false };
      const found = await withProgress(io, waiting, () =>
        check(directory, { configOnly: options.configOnly ?? false, progress }),
      );
      const isBad = found.problems.length > 0 || (options.strict && found.warnings.length > 0);
      io.write(options.json ? json({ ok: !isBad, ...found }) : checkText(found));
      if (isBad) throw new SubcommandFailed();
    });
}

// ---- details below; callers need not read ----

const DESCRIPTION = `Looks at every model of a repository as a server would when it starts, and tells everything that is wrong: what cannot be
read in config.pbtxt (with line and column), values, directories, label files, models that do not load or do not fit their
configuration. The exit code is 1 if something is.

  inferd check models/
  inferd check models/ --config-only --strict   # in a second, before a commit

Each version that would be served is opened once and closed again. Settings of the server come from the environment as they do when it
starts (INFERD_BACKEND_CONFIG and others).

JSON: { "ok", "models", "versions", "problems": [ { "model", "version", "path", "line", "column", "message" } ], "warnings": [ … ] };
models and versions are numbers; version, line and column are there where they are known.`;

const COLUMNS = [
  { title: 'Model' },
  { title: 'Version', optional: true },
  { title: 'Kind' },
  { title: 'Finding' },
];

function checkText(found: RepositoryCheck): string {
  const { problems, warnings } = found;
  const rows = [...problems.map(row('problem')), ...warnings.map(row('warning'))];
  const shown = rows.length === 0 ? '' : table(COLUMNS, rows.sort(byModel));
  return `${shown}${summary(found)}\n`;
}

function row(kind: string): (finding: CheckFinding) => string[] {
  return (finding) => {
    const { model, version, line, column, path, message } = finding;
    const position = line === undefined ? '' : `config.pbtxt:${line}:${column ?? 1}: `;
    const text = `${position}${path === '' ? '' : `${path}: `}${message}`;
    return [
      model,
      version === undefined ? '' : String(version),
      kind,
      wrapped(text.trim().split('\n'), 80),
    ];
  };
}

/** Otherwise as they were found. */
function byModel([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function summary({ models, versions, problems, warnings }: RepositoryCheck): string {
  const looked = `${counted(models, 'model')}, ${counted(versions, 'version')}`;
  const found = [
    ...(problems.length > 0 ? [counted(problems.length, 'problem')] : []),
    ...(warnings.length > 0 ? [counted(warnings.length, 'warning')] : []),
  ];
  return `${looked}: ${found.length === 0 ? 'all good' : found.join(', ')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
