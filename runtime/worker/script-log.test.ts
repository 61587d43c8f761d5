import { describe, expect, it } from 'vitest';
import { MOST_LINES_A_SECOND, ScriptLog } from './script-log.js';

function aLog(): {
  log: ScriptLog;
  told: [string, string, unknown][];
  advance: (ms: number) => void;
} {
  const told: [string, string, unknown][] = [];
  let now = 0;
  const log = new ScriptLog({
    send: ({ level, message, fields }) => told.push([level, message, fields]),
    translated: (text) => text.replace('bundle:1', 'model.ts:7'),
    now: () => now,
  });
  return { log, told, advance: (ms) => (now += ms) };
}

describe('ScriptLog', () => {
  it('tells lines with their fields, with the positions of the author', () => {
    const { log, told } = aLog();
    const { info } = log;

    info('asked', { rows: 2, at: 'bundle:1', of: ['a'] });
    log.console.warn('on %s: %d', 'bundle:1', 3);

    expect(told).toEqual([
      ['info', 'asked', { rows: 2, at: 'model.ts:7', of: "[ 'a' ]" }],
      ['warn', 'on model.ts:7: 3', {}],
    ]);
  });

  it('takes whatever code without types gives it', () => {
    const { log, told } = aLog();

    log.info(5, null);
    log.error({ a: 1 }, [1]);
    log.info('mine', { msg: 'yours', level: 3 });

    expect(told).toEqual([
      ['info', '5', {}],
      ['error', '{ a: 1 }', { value: '[ 1 ]' }],
      ['info', 'mine', { msg_: 'yours', level_: 3 }],
    ]);
  });

  it('tells no more than so many lines a second, and how many it left out', () => {
    const { log, told, advance } = aLog();
    for (let line = 0; line < MOST_LINES_A_SECOND + 3; line++) log.info('again');
    expect(told).toHaveLength(MOST_LINES_A_SECOND);

    advance(1000);
    log.info('later');

    expect(told.slice(MOST_LINES_A_SECOND)).toEqual([
      ['warn', '3 lines were left out: a model may log 500 lines a second', {}],
      ['info', 'later', {}],
    ]);
  });

  it('tells how many it left out also when nothing comes after them', () => {
    const { log, told } = aLog();
    for (let line = 0; line <= MOST_LINES_A_SECOND; line++) log.info('again');

    log.flush();
    log.flush();

    expect(told.slice(MOST_LINES_A_SECOND).map(([, text]) => text)).toEqual([
      '1 lines were left out: a model may log 500 lines a second',
    ]);
  });
});
