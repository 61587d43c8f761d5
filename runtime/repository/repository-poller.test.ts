import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { LogFields } from '../core/log.js';
import { FakeClock } from '../testing/fake-clock.js';
import { RepositoryPoller } from './repository-poller.js';

const INTERVAL_MS = 15_000;

let clock: FakeClock;
/** What a look sees, or how it fails. */
let files: Record<string, string> | RuntimeError;
/** Looks wait for this. */
let gate: Promise<void>;
let broken: Set<string>;
let log: string[];
let poller: RepositoryPoller;

beforeEach(async () => {
  clock = new FakeClock();
  files = { a: '1' };
  gate = Promise.resolve();
  broken = new Set();
  log = [];
  poller = aPoller();
  await poller.prepare();
  log.length = 0;
  poller.start();
});

function aPoller(): RepositoryPoller {
  const write = (fields: LogFields, message: string): void =>
    void log.push([...Object.values(fields), message].join(': '));
  const operation = (what: string) => (name: string) => {
    log.push(`${what} ${name}`);
    return broken.has(name) ? Promise.reject(new Error(`${name} is broken\n`)) : Promise.resolve();
  };
  return new RepositoryPoller(
    {
      clock,
      log: { debug: write, info: write, warn: write, error: write },
      look: async () => {
        log.push('look');
        await gate;
        if (files instanceof RuntimeError) throw files;
        return new Map(Object.entries(files));
      },
      follow: operation('load'),
      forget: operation('unload'),
    },
    INTERVAL_MS,
  );
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe('RepositoryPoller', () => {
  it('looks once in every interval', async () => {
    await pass(INTERVAL_MS - 1);
    expect(log).toEqual([]);

    await pass(1);
    await pass(INTERVAL_MS);

    expect(log).toEqual(['look', 'look']);
  });

  it('looks again soon after a change, and has it taken up when it has settled', async () => {
    files = { b: '1' };

    await pass(INTERVAL_MS);
    await pass(1000);
    await pass(INTERVAL_MS - 1);

    expect(log).toEqual(['look', 'look', 'load b', 'unload a']);
    await pass(1);
    expect(log.at(-1)).toBe('look');
  });

  it('tells of a change that cannot be taken over, and goes on', async () => {
    files = { a: '2' };
    broken.add('a');

    await pass(INTERVAL_MS);
    await pass(1000);
    await pass(INTERVAL_MS);

    expect(log).toEqual([
      'look',
      'look',
      'load a',
      'a: its change is not taken over: a is broken',
      'look',
    ]);
  });

  it('tells once that it cannot look, keeps everything, and tells when it can again', async () => {
    files = new RuntimeError('INTERNAL', 'the disk is gone');
    await pass(INTERVAL_MS);
    await pass(INTERVAL_MS);
    files = { a: '1' };
    await pass(INTERVAL_MS);

    expect(log).toEqual([
      'look',
      'the disk is gone; what serves goes on, changes are not seen',
      'look',
      'look',
      'the model repositories can be read again',
    ]);
  });

  it('takes one look at a time', async () => {
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));

    await pass(INTERVAL_MS);
    await pass(10 * INTERVAL_MS);
    expect(log).toEqual(['look']);
    open();
    await pass(0);
    await pass(INTERVAL_MS);

    expect(log).toEqual(['look', 'look']);
  });

  it('waits for a look under way when it stops, and does not act on it', async () => {
    files = { a: '2' };
    await pass(INTERVAL_MS);
    let open = (): void => undefined;
    gate = new Promise((resolve) => (open = resolve));
    await pass(1000);
    let stopped = false;

    const stopping = poller.stop().then(() => (stopped = true));
    await pass(0);
    expect(stopped).toBe(false);
    open();
    await stopping;

    expect(log).toEqual(['look', 'look']);
    expect(clock.timerCount).toBe(0);
  });

  it('leaves no timer when it stops between two looks', async () => {
    await poller.stop();

    expect(clock.timerCount).toBe(0);
  });

  it('fails at the start when it cannot look', async () => {
    files = new RuntimeError('INTERNAL', 'the disk is gone');

    await expect(aPoller().prepare()).rejects.toThrow('the disk is gone');
  });
});
