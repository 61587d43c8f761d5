import { describe, expect, it } from 'vitest';
import { InvalidModelConfig } from '../config/config-problem.js';
import { RuntimeError } from '../core/errors.js';
import type { Log, LogFields } from '../core/log.js';
import { FakeClock } from '../testing/fake-clock.js';
import { LoadReport } from './load-report.js';

function aReport(): {
  report: LoadReport;
  lines: string[];
  fields: LogFields[];
  clock: FakeClock;
} {
  const lines: string[] = [];
  const fields: LogFields[] = [];
  const write =
    (level: string): Log['info'] =>
    (about, message) => {
      fields.push(about);
      lines.push(`${level} ${message}`);
    };
  const log = {
    debug: () => undefined,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const clock = new FakeClock();
  return { report: new LoadReport(log, clock), lines, fields, clock };
}

describe('LoadReport', () => {
  it('tells every second what is loading', () => {
    const { report, lines, clock } = aReport();

    report.versionLoading('a', 1);
    report.versionLoading('b', 1);
    clock.advance(1000);
    report.versionReady('a', 1, { ms: 1200 });
    clock.advance(1000);
    report.versionReady('b', 1, { ms: 2000 });
    clock.advance(5000);

    expect(lines).toEqual([
      'info loading a:1 and 1 more; 0 ready, 0 failed so far',
      'info model is ready',
      'info loading b:1; 1 ready, 0 failed so far',
      'info model is ready',
    ]);
    expect(clock.timerCount).toBe(0);
  });

  it('shows as much of model.json as fits into a line', () => {
    const { report, fields } = aReport();
    const many = Array.from({ length: 9 }, (_, index) => [`key${index}`, 'v'.repeat(100)] as const);

    report.versionReady('a', 1, { ms: 1.4, properties: Object.fromEntries(many) });
    report.versionReady('b', 1, { ms: 2, properties: {} });

    expect(fields).toEqual([
      {
        model: 'a',
        version: 1,
        ms: 1,
        properties: Object.fromEntries(
          many.slice(0, 8).map(([key, value]) => [key, value.slice(0, 80)]),
        ),
      },
      { model: 'b', version: 1, ms: 2 },
    ]);
  });

  it('tells what becomes of versions that serve', () => {
    const { report, lines } = aReport();

    report.versionUpdated('a', 1);
    report.versionEjected('a', 1, new RuntimeError('BACKEND_LOST', 'its thread kept dying'));

    expect(lines).toEqual([
      'info instance groups are changed in place',
      'error version 1 cannot serve any more: its thread kept dying',
    ]);
    expect(report.problems.has('a')).toBe(true);
  });

  it('keeps everything that is wrong, by model', () => {
    const { report, lines } = aReport();
    const two = [
      { path: 'input[0].dims', message: 'first' },
      { path: '', message: 'second', line: 3, column: 4 },
    ];

    report.versionLoading('bad', 1);
    report.versionFailed('bad', 1, new InvalidModelConfig(two));
    report.modelUnreadable('worse', two);
    report.versionLoading('gone', 2);
    report.versionFailed('gone', 2, new RuntimeError('INTERNAL', 'no file\n'));

    expect([...report.problems]).toEqual([
      ['bad', ['version 1: input[0].dims: first', 'version 1: config.pbtxt:3:4: second']],
      ['worse', ['input[0].dims: first', 'config.pbtxt:3:4: second']],
      ['gone', ['version 2: no file\n']],
    ]);
    expect(lines).toHaveLength(5);
  });
});
