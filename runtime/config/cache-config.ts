// --cache-config=CACHE,KEY=VALUE[,KEY=VALUE…], once or a setting at a time, and the older --response-cache-byte-size: whether there
// is a response cache, and where.

import { parseByteSize } from './byte-size.js';
import { InvalidOption } from './invalid-option.js';

export type CacheConfig = LocalCacheConfig | RedisCacheConfig;

export interface LocalCacheConfig {
  readonly kind: 'local';
  readonly sizeBytes: number;
}

export interface RedisCacheConfig {
  readonly kind: 'redis';
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** Undefined: an answer stays until Redis needs the room. */
  readonly ttlSeconds: number | undefined;
}

export interface CacheSettings {
  /** Every --cache-config. */
  readonly settings: readonly string[];
  /** --response-cache-byte-size; '': not given. */
  readonly byteSize: string;
}

/** Undefined: there is none. @throws InvalidOption */
export function readCacheConfig(
  { settings, byteSize }: CacheSettings,
  environment: Readonly<Record<string, string | undefined>>,
): CacheConfig | undefined {
  if (byteSize !== '') {
    if (settings.length > 0)
      throw invalid('and --response-cache-byte-size name two response caches; there can be one');
    return oldConfig(byteSize);
  }
  if (settings.length === 0) return undefined;
  const { kind, values } = readSettings(settings);
  if (kind === 'local') return { kind, sizeBytes: localSize(values) };
  return redisConfig(values, environment);
}

// ---- details below; callers need not read ----

const KEYS = {
  local: ['size'],
  redis: ['host', 'port', 'user', 'username', 'password', 'db', 'ttl'],
} as const;

type Kind = keyof typeof KEYS;
type Values = ReadonlyMap<string, string>;

function readSettings(settings: readonly string[]): { kind: Kind; values: Values } {
  const values = new Map<string, string>();
  const kinds = new Set<Kind>();
  for (const setting of settings) {
    const [name = '', ...assignments] = setting.split(',');
    if (name !== 'local' && name !== 'redis')
      throw invalid(`takes local,size=BYTES or redis,host=HOST,port=PORT; got '${name}'`);
    kinds.add(name);
    for (const assignment of assignments) readAssignment(name, assignment, values);
  }
  const [kind, other] = [...kinds];
  if (other !== undefined) throw invalid('names two response caches; there can be one');
  return { kind: kind!, values };
}

/** Never with the value in the text: it may be a password. */
function readAssignment(kind: Kind, assignment: string, values: Map<string, string>): void {
  const match = /^([^=]+)=(.+)$/s.exec(assignment);
  const [, key = '', value = ''] = match ?? [];
  const known: readonly string[] = KEYS[kind];
  if (!match || !known.includes(key)) {
    const got = match ? `'${key}'` : 'a part that is no KEY=VALUE';
    throw invalid(`${kind} takes ${known.map((name) => `${name}=…`).join(', ')}; got ${got}`);
  }
  if (values.has(key)) throw invalid(`${kind} has '${key}' twice`);
  values.set(key, value);
}

function localSize(values: Values): number {
  const text = values.get('size');
  if (text === undefined) throw invalid('local needs its size, such as local,size=104857600');
  const bytes = parseByteSize(text);
  if (bytes === undefined || bytes === 0)
    throw invalid(`local takes a size in bytes or such as 100M, got '${text}'`);
  return bytes;
}

/** As Triton had it before --cache-config: 0 is none. */
function oldConfig(text: string): LocalCacheConfig | undefined {
  const sizeBytes = parseByteSize(text);
  if (sizeBytes === undefined)
    throw new InvalidOption(`--response-cache-byte-size takes a number of bytes, got '${text}'`);
  return sizeBytes === 0 ? undefined : { kind: 'local', sizeBytes };
}

/** The variables are those of Triton's Redis cache; they keep a password out of the list of processes. */
function redisConfig(
  values: Values,
  environment: Readonly<Record<string, string | undefined>>,
): RedisCacheConfig {
  const host = values.get('host');
  const port = wholeNumber(values, 'port', 65_535);
  if (host === undefined || !port)
    throw invalid('redis needs host and port, such as redis,host=localhost,port=6379');
  const ttlSeconds = wholeNumber(values, 'ttl', 2 ** 31);
  if (ttlSeconds === 0) throw invalid('redis takes a ttl of at least one second');
  const given = (text: string | undefined): string | undefined => text || undefined;
  return {
    kind: 'redis',
    host,
    port,
    username:
      values.get('username') ??
      values.get('user') ??
      given(environment['TRITONCACHE_REDIS_USERNAME']),
    password: values.get('password') ?? given(environment['TRITONCACHE_REDIS_PASSWORD']),
    db: wholeNumber(values, 'db', 2 ** 16) ?? 0,
    ttlSeconds,
  };
}

function wholeNumber(values: Values, key: string, max: number): number | undefined {
  const text = values.get(key);
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) <= max) return Number(text);
  throw invalid(`redis takes a whole number up to ${max} as ${key}, got '${text}'`);
}

function invalid(text: string): InvalidOption {
  return new InvalidOption(`--cache-config ${text}`);
}
