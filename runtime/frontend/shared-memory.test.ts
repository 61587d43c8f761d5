import { appendFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { HAS_SHARED_MEMORY, SharedMemoryFile } from '../testing/shared-memory-file.js';
import type { RegionDescription } from './shared-memory-region.js';
import { SharedMemory } from './shared-memory.js';

function refusal(act: () => void): [string, string] {
  try {
    act();
  } catch (error) {
    const { code, message } = RuntimeError.from(error);
    return [code, message];
  }
  throw new Error('it was not refused');
}

describe.skipIf(!HAS_SHARED_MEMORY)('SharedMemory', () => {
  let file: SharedMemoryFile;
  let memory: SharedMemory;
  beforeEach(() => {
    file = new SharedMemoryFile(Uint8Array.from({ length: 64 }, (_, i) => i));
    memory = new SharedMemory();
  });
  afterEach(() => {
    memory.unregisterAll();
    file.remove();
  });

  function register(overrides: Partial<RegionDescription> = {}): void {
    memory.register({ name: 'r', key: file.key, offset: 0, byteSize: 64, ...overrides });
  }

  it('reads and writes bytes of a region', () => {
    register();

    expect([...memory.place({ region: 'r', offset: 8, byteSize: 3 }).read()]).toEqual([8, 9, 10]);
    memory.place({ region: 'r', offset: 60, byteSize: 4 }).write(Uint8Array.of(255, 254));

    expect([...file.bytes.subarray(58)]).toEqual([58, 59, 255, 254, 62, 63]);
  });

  it('counts from where a region begins in its file', () => {
    register({ offset: 10, byteSize: 20 });

    expect([...memory.place({ region: 'r', offset: 18, byteSize: 2 }).read()]).toEqual([28, 29]);
  });

  it('lists regions in the order of their registration, and forgets them', () => {
    register({ name: 'b' });
    register({ name: 'a', key: file.key.slice(1), offset: 4, byteSize: 8 });

    expect(memory.list()).toEqual([
      { name: 'b', key: file.key, offset: 0, byteSize: 64 },
      { name: 'a', key: file.key.slice(1), offset: 4, byteSize: 8 },
    ]);
    memory.unregister('b');
    memory.unregister('nosuch');
    expect(memory.list().map(({ name }) => name)).toEqual(['a']);
    memory.unregisterAll();
    expect(memory.list()).toEqual([]);
  });

  it('has a name once', () => {
    register();

    expect(refusal(register)).toEqual([
      'ALREADY_EXISTS',
      "shared memory region 'r' already in manager",
    ]);
  });

  it('does not take any number of regions', () => {
    for (let i = 0; i < 1024; i++) register({ name: String(i) });

    expect(refusal(register)).toEqual([
      'INVALID_ARGUMENT',
      "failed to register shared memory region 'r': there are 1024 already",
    ]);
  });

  it.each([
    [0, 65],
    [1, 64],
    [0, 0],
    [2 ** 64, 1],
    [0, 2 ** 64],
  ])('refuses an offset of %d and a size of %d, which the file has not', (offset, byteSize) => {
    expect(refusal(() => register({ offset, byteSize }))).toEqual([
      'INVALID_ARGUMENT',
      "failed to register shared memory region 'r': invalid args",
    ]);
    expect(memory.list()).toEqual([]);
  });

  it('refuses places in a file that are too far to be read', () => {
    file.resize(2 ** 53 - 1);
    // One with 64 bytes more, which Node cannot make.
    appendFileSync(file.path, Buffer.alloc(64));

    expect(refusal(() => register({ offset: 2 ** 53 - 8, byteSize: 64 }))).toEqual([
      'INVALID_ARGUMENT',
      "failed to register shared memory region 'r': invalid args",
    ]);
  });

  it.each([
    '',
    '/',
    '.',
    '/..',
    '/../../etc/hostname',
    '//etc/hostname',
    '/a/b',
    '/a\0b',
    '/nosuch',
  ])('does not open %j', (key) => {
    expect(refusal(() => register({ key }))).toEqual([
      'INTERNAL',
      `Unable to open shared memory region: '${key}'`,
    ]);
  });

  it.each([
    ['a link out of the directory', (path: string) => symlinkSync(`${tmpdir()}/x`, path)],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('does not open %s', (_what, make) => {
    file.remove();
    make(file.path);
    expect(refusal(register)[0]).toBe('INTERNAL');
    rmSync(file.path, { recursive: true });
  });

  it.each(['', '/'])("leaves Triton's own regions alone, with %j in front", (slash) => {
    const key = `${slash}triton_python_backend_shm_region_1`;

    expect(refusal(() => register({ key }))).toEqual([
      'INVALID_ARGUMENT',
      `cannot register shared memory region 'r' with key '${key}' as the key contains the reserved prefix 'triton_python_backend_shm_region_'`,
    ]);
  });

  it.each([
    [64, 0, 'Invalid offset'],
    [-1, 1, 'Invalid offset'],
    [0, 65, 'Invalid offset + byte size'],
    [60, 5, 'Invalid offset + byte size'],
    [0, -1, 'Invalid offset + byte size'],
  ])('has no place at %d for %d bytes', (offset, byteSize, what) => {
    register();

    expect(refusal(() => memory.place({ region: 'r', offset, byteSize }))).toEqual([
      'INVALID_ARGUMENT',
      `${what} for shared memory region: 'r'`,
    ]);
  });

  it('finds no other region', () => {
    expect(refusal(() => memory.place({ region: 'x', offset: 0, byteSize: 1 }))).toEqual([
      'NOT_FOUND',
      "Unable to find shared memory region: 'x'",
    ]);
  });

  it('still has a region whose name has been unlinked', () => {
    register();
    const place = memory.place({ region: 'r', offset: 1, byteSize: 2 });

    file.remove();
    place.write(Uint8Array.of(7));

    expect([...place.read()]).toEqual([7, 2]);
  });

  it('refuses what a region that has shrunk no longer has, and does not let it grow', () => {
    register();
    const gone = memory.place({ region: 'r', offset: 30, byteSize: 8 });
    const left = memory.place({ region: 'r', offset: 24, byteSize: 8 });
    const smaller = [
      'INVALID_ARGUMENT',
      "shared memory region 'r' is smaller than when it was registered",
    ];

    file.resize(32);

    expect(refusal(() => gone.read())).toEqual(smaller);
    expect(refusal(() => gone.write(Buffer.alloc(8)))).toEqual(smaller);
    expect(left.read()).toHaveLength(8);
    expect(file.bytes).toHaveLength(32);
  });

  it('has lost its places when it is unregistered, even if another file is registered then', () => {
    register();
    const place = memory.place({ region: 'r', offset: 0, byteSize: 4 });
    memory.unregister('r');
    register();
    const none = ['NOT_FOUND', "Unable to find shared memory region: 'r'"];

    expect(refusal(() => place.read())).toEqual(none);
    expect(refusal(() => place.write(Buffer.alloc(4)))).toEqual(none);
    expect(file.bytes[1]).toBe(1);
  });
});
