import { describe, expect, it } from 'vitest';
import { readCacheConfig, type CacheConfig } from './cache-config.js';

function read(
  settings: readonly string[],
  environment: Record<string, string> = {},
): CacheConfig | undefined {
  return readCacheConfig({ settings, byteSize: '' }, environment);
}

const REDIS = {
  kind: 'redis',
  host: 'cache',
  port: 6379,
  username: undefined,
  password: undefined,
  db: 0,
  ttlSeconds: undefined,
};

describe('readCacheConfig', () => {
  it('wants no cache where none is named', () => {
    expect(read([])).toBeUndefined();
  });

  it('takes the size of a local one', () => {
    expect(read(['local,size=1048576'])).toEqual({ kind: 'local', sizeBytes: 1_048_576 });
    expect(read(['local,size=100M'])).toEqual({ kind: 'local', sizeBytes: 100 * 2 ** 20 });
  });

  it('takes a Redis, in one setting or one at a time', () => {
    expect(read(['redis,host=cache,port=6379'])).toEqual(REDIS);
    expect(read(['redis,host=cache', 'redis,port=6379'])).toEqual(REDIS);
    expect(read(['redis,host=cache,port=6379,user=u,password=a=b,db=2,ttl=60'])).toEqual({
      ...REDIS,
      username: 'u',
      password: 'a=b',
      db: 2,
      ttlSeconds: 60,
    });
  });

  it("takes name and password of a Redis from the variables of Triton's", () => {
    const environment = { TRITONCACHE_REDIS_USERNAME: 'u', TRITONCACHE_REDIS_PASSWORD: 'p' };

    expect(read(['redis,host=cache,port=6379'], environment)).toMatchObject({
      username: 'u',
      password: 'p',
    });
    expect(read(['redis,host=cache,port=6379,password=q'], environment)).toMatchObject({
      password: 'q',
    });
  });

  it('takes the older flag', () => {
    const old = (byteSize: string): CacheConfig | undefined =>
      readCacheConfig({ settings: [], byteSize }, {});

    expect(old('1000')).toEqual({ kind: 'local', sizeBytes: 1000 });
    expect(old('0')).toBeUndefined();
    expect(() => old('x')).toThrow("--response-cache-byte-size takes a number of bytes, got 'x'");
    expect(() => readCacheConfig({ settings: ['local,size=1'], byteSize: '1' }, {})).toThrow(
      '--cache-config and --response-cache-byte-size name two response caches; there can be one',
    );
  });

  it.each([
    ['local', 'local needs its size, such as local,size=104857600'],
    ['local,size=0', "local takes a size in bytes or such as 100M, got '0'"],
    ['local,size=x', "local takes a size in bytes or such as 100M, got 'x'"],
    ['local,sise=1', "local takes size=…; got 'sise'"],
    ['local,size', 'local takes size=…; got a part that is no KEY=VALUE'],
    ['local,size=1,size=2', "local has 'size' twice"],
    ['disk,size=1', "takes local,size=BYTES or redis,host=HOST,port=PORT; got 'disk'"],
    ['redis,host=h', 'redis needs host and port, such as redis,host=localhost,port=6379'],
    ['redis,port=1', 'redis needs host and port, such as redis,host=localhost,port=6379'],
    ['redis,host=h,port=x', "redis takes a whole number up to 65535 as port, got 'x'"],
    ['redis,host=h,port=1,ttl=0', 'redis takes a ttl of at least one second'],
    [
      'redis,host=h,port=1,tls_enabled=true',
      "redis takes host=…, port=…, user=…, username=…, password=…, db=…, ttl=…; got 'tls_enabled'",
    ],
  ])('refuses %s in one line', (setting, text) => {
    expect(() => read([setting])).toThrow(`--cache-config ${text}`);
  });

  it('refuses two caches', () => {
    expect(() => read(['local,size=1', 'redis,host=h'])).toThrow(
      '--cache-config names two response caches; there can be one',
    );
  });

  it('shows no password', () => {
    expect(() => read(['redis,host=h,password=s3cret,more'])).toThrow(/^(?!.*s3cret)/);
  });
});
