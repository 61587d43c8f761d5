// PORT: what is needed of a client of Redis, and ioredis as one. A connection that is lost is made again and again in the
// background; nothing waits for it and nothing is queued while it is not there. What is wrong is told once, until it is well again.

import { Redis } from 'ioredis';
import type { RedisCacheConfig } from '../config/cache-config.js';
import type { Log } from '../core/log.js';

/** Never throws: what goes wrong rejects. */
export interface RedisConnection {
  /** False: a command would be refused. */
  readonly isReady: boolean;
  /** No more than its first bytes, so that nobody can make this process read what is not an answer; null: there is nothing. */
  get(key: string, mostBytes: number): Promise<Buffer | null>;
  set(key: string, value: Buffer): Promise<unknown>;
  close(): void;
}

/** A Redis that takes commands and answers none for so long is given up, and another connection is tried. */
const SILENCE_MS = 5_000;
const LONGEST_RETRY_MS = 5_000;

export function connectRedis(config: RedisCacheConfig, log: Log): RedisConnection {
  const { host, port, username, password, db, ttlSeconds } = config;
  const redis = new Redis({
    ...{ host, port, username, password },
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
  });
  const trouble = new Trouble(log, `${host}:${port}`);
  let isUsable = false;
  const usable = (): void => {
    isUsable = true;
    trouble.isOver();
  };
  // An error event that nobody hears would end the process.
  redis.on('error', (error) => trouble.tell(reasonOf(error)));
  redis.on('reconnecting', () => trouble.tell('the connection was lost'));
  redis.on('close', () => (isUsable = false));
  redis.on('ready', () => {
    if (db === 0) usable();
    // Left to ioredis, a database that Redis does not have would mean another one.
    else redis.select(db).then(usable, (error: unknown) => trouble.tell(reasonOf(error)));
  });
  return {
    get isReady() {
      return isUsable && redis.status === 'ready';
    },
    get: async (key, mostBytes) => {
      const value = await redis.getrangeBuffer(key, 0, mostBytes - 1);
      return value.length > 0 ? value : null;
    },
    set: (key, value) =>
      ttlSeconds === undefined ? redis.set(key, value) : redis.set(key, value, 'EX', ttlSeconds),
    close: () => redis.disconnect(),
  };
}

// ---- details below; callers need not read ----

class Trouble {
  readonly #log: Log;
  readonly #where: string;
  #isTold = false;

  constructor(log: Log, where: string) {
    this.#log = log;
    this.#where = where;
  }

  tell(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const text = `the response cache at ${this.#where} cannot be used: ${why}`;
    this.#log.warn({}, `${text}; models run without it`);
  }

  isOver(): void {
    if (this.#isTold) this.#log.info({}, `the response cache at ${this.#where} is in use again`);
    this.#isTold = false;
  }
}

function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || (code ?? '');
}
