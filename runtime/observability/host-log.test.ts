import { describe, expect, it } from 'vitest';
import type { LogSettings } from '../core/log.js';
import { HostLog } from './host-log.js';

const SETTINGS: LogSettings = {
  ...{ verboseLevel: 0, info: true, warning: true, error: true },
  ...{ format: 'default', file: '' },
};

function setUp() {
  const lines: string[] = [];
  const level = (name: string) => (fields: object, message: string) =>
    void lines.push(`${name} ${JSON.stringify(fields)} ${message}`);
  const log = new HostLog(
    { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') },
    SETTINGS,
  );
  const writeAll = (target = log): void => {
    target.debug({ a: 1 }, 'one');
    target.info({}, 'two');
    target.warn({}, 'three');
    target.error({}, 'four');
  };
  return { lines, log, writeAll };
}

describe("the log of the program that a server is part of, as the server's", () => {
  it('gets what the settings let through', () => {
    const { lines, writeAll } = setUp();

    writeAll();

    expect(lines).toEqual(['info {} two', 'warn {} three', 'error {} four']);
  });

  it('gets something else when they are changed', () => {
    const { lines, log, writeAll } = setUp();

    log.adjust({ verboseLevel: 1, info: false, warning: false, error: false });
    writeAll();

    expect(lines).toEqual(['debug {"a":1} one']);
    expect(log.settings).toEqual({
      ...SETTINGS,
      ...{ verboseLevel: 1, info: false, warning: false, error: false },
    });
  });

  it('need not be there', () => {
    const { writeAll } = setUp();

    expect(() => writeAll(new HostLog(undefined, SETTINGS))).not.toThrow();
  });
});
