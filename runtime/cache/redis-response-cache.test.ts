import { describe, expect, it } from 'vitest';
import type { Log } from '../core/log.js';
import type { Tensor } from '../core/tensor.js';
import { aTensor, valuesOf } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import type { RedisConnection } from './redis-connection.js';
import {
  LOOKUP_MS,
  MAX_ANSWER_BYTES,
  MAX_UNCONFIRMED_BYTES,
  RedisResponseCache,
} from './redis-response-cache.js';

interface Waiting {
  readonly resolve: (value: Buffer | null) => void;
  readonly reject: (error: Error) => void;
}

/** A Redis that answers when it is told to. */
class PuppetRedis implements RedisConnection {
  isReady = true;
  isClosed = false;
  readonly values = new Map<string, Buffer>();
  readonly gets: (Waiting & { readonly key: string; readonly mostBytes: number })[] = [];
  /** Undefined: writes are not confirmed. */
  confirm: Error | 'OK' | undefined = 'OK';
  sets = 0;

  get(key: string, mostBytes: number): Promise<Buffer | null> {
    return new Promise((resolve, reject) => this.gets.push({ key, mostBytes, resolve, reject }));
  }

  set(key: string, value: Buffer): Promise<unknown> {
    this.sets++;
    if (this.confirm instanceof Error) return Promise.reject(this.confirm);
    this.values.set(key, value);
    return this.confirm ? Promise.resolve('OK') : new Promise(() => undefined);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Answers everything that has been asked. */
  async answer(): Promise<void> {
    for (const { key, mostBytes, resolve } of this.gets.splice(0))
      resolve(this.values.get(key)?.subarray(0, mostBytes) ?? null);
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

const OUTPUTS = [aTensor('y', [2], [1, 2])];

function create() {
  const redis = new PuppetRedis();
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (_fields: unknown, text: string): void => void told.push(text);
  const log: Log = { debug: tell, info: tell, warn: tell, error: tell };
  const cache = new RedisResponseCache({ connection: redis, clock, log });
  const ask = (key = 'k', deadline = Infinity): (readonly Tensor[] | undefined)[] => {
    const found: (readonly Tensor[] | undefined)[] = [];
    cache.lookup(key, { deadline, found: (outputs) => found.push(outputs) });
    return found;
  };
  const failAll = (): void => {
    for (let i = 0; i < 5; i++) ask();
    clock.advance(LOOKUP_MS);
  };
  return { redis, clock, told, cache, ask, failAll };
}

describe('RedisResponseCache', () => {
  it('finds what this or another server has inserted', async () => {
    const { redis, cache, ask } = create();

    cache.insert('k', OUTPUTS);
    const [here, missing] = [ask('k'), ask('other')];
    await redis.answer();

    expect(valuesOf(here[0]![0]!)).toEqual([1, 2]);
    expect(missing).toEqual([undefined]);
    expect(cache.usage()).toBeUndefined();
  });

  it('takes what it cannot read for a miss', async () => {
    const { redis, cache, ask } = create();
    cache.insert('k', OUTPUTS);
    for (const key of redis.values.keys()) redis.values.set(key, Buffer.from('nonsense'));

    const found = ask();
    await redis.answer();

    expect(found).toEqual([undefined]);
  });

  it('reads no more than an answer can have, whatever is there', async () => {
    const { redis, cache, ask } = create();
    cache.insert('k', [aTensor('y', [2 ** 18], Array<number>(2 ** 18).fill(1))]);

    const whole = ask();
    await redis.answer();
    for (const key of redis.values.keys()) redis.values.set(key, Buffer.alloc(2 ** 24));
    const huge = ask();
    const [asked] = redis.gets.map(({ mostBytes }) => mostBytes);
    await redis.answer();

    expect(whole[0]).toHaveLength(1);
    expect(asked).toBeLessThan(2 ** 21);
    expect(huge).toEqual([undefined]);
  });

  it('does not keep what has more names than data', () => {
    const { redis, cache } = create();

    cache.insert('k', [aTensor('y'.repeat(2 ** 21), [1], [1])]);

    expect(redis.sets).toBe(0);
  });

  it('makes nobody wait longer than 2 ms, and answers once', async () => {
    const { redis, clock, cache, ask } = create();
    cache.insert('k', OUTPUTS);

    const found = ask();
    clock.advance(0.5);
    const later = ask();
    clock.advance(1.5);
    await redis.answer();

    expect(found).toEqual([undefined]);
    expect(later).toHaveLength(1);
    expect(clock.timerCount).toBe(0);
  });

  it('reads what has arrived before it gives up, if it was itself that had no time', async () => {
    const { redis, clock, cache, ask } = create();
    cache.insert('k', OUTPUTS);

    const found = ask();
    const deferred: (() => void)[] = [];
    clock.defer = (fn) => void deferred.push(fn);
    clock.advance(50);
    await redis.answer();
    for (const fn of deferred) fn();

    expect(found[0]).toBeDefined();
    expect(found).toHaveLength(1);
  });

  it('has one timer for all lookups', () => {
    const { clock, ask } = create();

    const all = Array.from({ length: 100 }, () => ask());

    expect(clock.timerCount).toBe(1);
    clock.advance(LOOKUP_MS);
    expect(all.every((found) => found.length === 1)).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  it('does not ask for a request whose deadline leaves no time for it', () => {
    const { redis, clock, ask } = create();

    expect(ask('k', clock.now() + LOOKUP_MS)).toEqual([undefined]);
    expect(redis.gets).toHaveLength(0);
  });

  it('asks nothing and keeps nothing while the connection is lost', () => {
    const { redis, cache, ask } = create();
    redis.isReady = false;

    cache.insert('k', OUTPUTS);

    expect(ask()).toEqual([undefined]);
    expect([redis.gets.length, redis.sets]).toEqual([0, 0]);
  });

  it('leaves a Redis alone that is too slow several times in a row, and says so once', () => {
    const { redis, told, cache, ask, failAll } = create();

    failAll();
    redis.gets.splice(0);

    expect(ask()).toEqual([undefined]);
    cache.insert('k', OUTPUTS);
    expect([redis.gets.length, redis.sets]).toEqual([0, 0]);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('did not answer 5 lookups within 2 ms');
  });

  it('asks one lookup after a pause, and all when that was answered in time', async () => {
    const { redis, clock, told, ask, failAll } = create();
    failAll();
    redis.gets.splice(0);

    clock.advance(1000);
    const [probe, skipped] = [ask(), ask()];
    expect([probe, skipped]).toEqual([[], [undefined]]);
    await redis.answer();
    ask();

    expect(redis.gets).toHaveLength(1);
    expect(told.at(-1)).toBe('the response cache answers again');
  });

  it('hears what a command is refused with, and tells it once', async () => {
    const { redis, told, cache, ask } = create();
    redis.confirm = new Error('OOM command not allowed');

    cache.insert('k', OUTPUTS);
    cache.insert('k', OUTPUTS);
    const found = ask();
    redis.gets.pop()!.reject(new Error('WRONGTYPE'));
    await settled();

    expect(found).toEqual([undefined]);
    expect(told).toEqual(['the response cache refuses a command: Error: OOM command not allowed']);
  });

  it('tells that Redis is slow also when it has told of a refusal', async () => {
    const { redis, told, cache, failAll } = create();
    redis.confirm = new Error('OOM command not allowed');
    cache.insert('k', OUTPUTS);
    await settled();

    failAll();

    expect(told).toEqual([
      expect.stringContaining('refuses a command') as string,
      expect.stringContaining('did not answer 5 lookups') as string,
    ]);
  });

  it('does not heap up what Redis does not confirm', () => {
    const { redis, cache } = create();
    redis.confirm = undefined;
    const outputs = [{ ...aTensor('y', [1], []), data: new Uint8Array(MAX_ANSWER_BYTES) }];

    for (let i = 0; i < 50; i++) cache.insert(`${i}`, outputs);

    expect(redis.sets).toBe(MAX_UNCONFIRMED_BYTES / MAX_ANSWER_BYTES);
  });

  it('does not keep what would take too long to read', () => {
    const { redis, cache } = create();

    cache.insert('k', [{ ...aTensor('y', [1], []), data: new Uint8Array(MAX_ANSWER_BYTES + 1) }]);

    expect(redis.sets).toBe(0);
  });

  it('closes its connection', async () => {
    const { redis, cache } = create();

    await cache.close();

    expect(redis.isClosed).toBe(true);
  });
});
