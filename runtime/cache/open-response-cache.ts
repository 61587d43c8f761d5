// The response cache that the options name. ioredis is loaded only where there is a Redis.

import type { CacheConfig } from '../config/cache-config.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { LocalResponseCache } from './local-response-cache.js';
import type { ResponseCache } from './response-cache.js';

/** Does not wait for a connection: a server starts without its Redis and uses it when it is there. */
export async function openResponseCache(
  config: CacheConfig,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<ResponseCache> {
  if (config.kind === 'local') return new LocalResponseCache(config.sizeBytes);
  const { connectRedis } = await import('./redis-connection.js');
  const { RedisResponseCache } = await import('./redis-response-cache.js');
  return new RedisResponseCache({ ...parts, connection: connectRedis(config, parts.log) });
}
