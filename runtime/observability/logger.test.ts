import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdjustableLog, LogSettings } from '../core/log.js';
import { createLogger } from './logger.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'inferd-log-'))));
afterEach(() => rmSync(directory, { recursive: true }));

function aLog(settings: Partial<LogSettings> = {}): AdjustableLog {
  return createLogger(
    {
      verboseLevel: 0,
      info: true,
      warning: true,
      error: true,
      format: 'default',
      file: join(directory, 'log'),
      ...settings,
    },
    { isTerminal: false, isColored: false },
  );
}

/** One line of each kind; which of them came. */
function written(log: AdjustableLog): string[] {
  const before = lines().length;
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({}, level);
  return lines()
    .slice(before)
    .map(({ msg }) => msg);
}

function lines(): { msg: string }[] {
  const text = readFileSync(join(directory, 'log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { msg: string });
}

describe('the log', () => {
  it('has what the settings want in it', () => {
    expect(written(aLog())).toEqual(['info', 'warn', 'error']);
    expect(written(aLog({ verboseLevel: 1, warning: false }))).toEqual(['debug', 'info', 'error']);
  });

  it('changes with the next line when a setting changes', () => {
    const log = aLog();

    log.adjust({ info: false, verboseLevel: 2 });
    expect(written(log)).toEqual(['debug', 'warn', 'error']);

    log.adjust({ info: true, verboseLevel: 0, error: false });
    expect(written(log)).toEqual(['info', 'warn']);
  });

  it('shows its settings as they are', () => {
    const log = aLog();

    log.adjust({ warning: false, format: 'ISO8601' });

    expect(log.settings).toMatchObject({ info: true, warning: false, format: 'ISO8601' });
  });

  it('stays JSON in its file, whatever the format', () => {
    const log = aLog();

    log.adjust({ format: 'ISO8601' });

    expect(written(log)).toEqual(['info', 'warn', 'error']);
  });

  it('cannot be made where the file cannot be written', () => {
    expect(() => aLog({ file: join(directory, 'no', 'such', 'directory') })).toThrow(/ENOENT/);
  });
});
