// PORT: what is needed of a client of Redis, and ioredis as one. A connection that is lost is made again and again in the
// background; nothing waits for it and nothing is queued while it is not there. What is wrong is told once, until it is well again.

import { Redis } from 'ioredis';
import type { RedisCacheConfig } from '../config/cache-config.js';
import type { Log } from '../core/log.js';

/** Never throws: what goes wrong rejects. */
export interface RedisConnection {
  /** False: a command would be refused. */
  readonly isReady: boolean;
  get(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer): Promise<unknown>;
  close(): void;
}

/** A Redis that takes commands and answers none for so long is given up, and another connection is tried. */
const SILENCE_MS = 5_000;
const LONGEST_RETRY_MS = 5_000;

export function connectRedis(config: RedisCacheConfig, log: Log): RedisConnection {
  const { host, port, username, password, db, ttlSeconds } = config;
  const redis = new Redis({
    ...{ host, port, username, password, db },
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RETRY_MS),
  });
  tellTrouble(redis, log, `${host}:${port}`);
  return {
    get isReady() {
      return redis.status === 'ready';
    },
    get: (key) => redis.getBuffer(key),
    set: (key, value) =>
      ttlSeconds === undefined ? redis.set(key, value) : redis.set(key, value, 'EX', ttlSeconds),
    close: () => redis.disconnect(),
  };
}

// ---- details below; callers need not read ----

function tellTrouble(redis: Redis, log: Log, where: string): void {
  let isTold = false;
  const tell = (why: string): void => {
    if (isTold) return;
    isTold = true;
    log.warn({}, `the response cache at ${where} cannot be used: ${why}; models run without it`);
  };
  // An error event that nobody hears would end the process.
  redis.on('error', (error: NodeJS.ErrnoException) => tell(error.message || (error.code ?? '')));
  redis.on('reconnecting', () => tell('the connection was lost'));
  redis.on('ready', () => {
    if (isTold) log.info({}, `the response cache at ${where} is in use again`);
    isTold = false;
  });
}
