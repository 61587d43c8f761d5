// A POSIX shared memory region of a client, and places within it. Node cannot map memory, so tensors are read and written through the
// open file: on tmpfs that is a copy within memory. A region that shrinks under a reader ends a read early, where a mapping would end
// the process by SIGBUS.

import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { RuntimeError } from '../core/errors.js';

export interface RegionDescription {
  readonly name: string;
  /** Of shm_open: with one '/' in front, or none. */
  readonly key: string;
  readonly offset: number;
  readonly byteSize: number;
}

export class SharedMemoryRegion {
  readonly description: RegionDescription;
  /** Undefined when closed: the number may belong to another file by then. */
  #file: number | undefined;

  /** @throws RuntimeError INVALID_ARGUMENT for a region that is smaller, INTERNAL for a key that names none. Texts: Triton's */
  constructor(description: RegionDescription) {
    const { name, offset, byteSize } = description;
    this.description = description;
    const file = openFile(description);
    const end = offset + byteSize;
    // Beyond that, numbers are no longer exact and files cannot be read; a file with holes may be as large.
    if (byteSize > 0 && end <= fstatSync(file).size && end <= Number.MAX_SAFE_INTEGER) {
      this.#file = file;
      return;
    }
    closeSync(file);
    const text = `failed to register shared memory region '${name}': invalid args`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  /** @throws RuntimeError INVALID_ARGUMENT for bytes that the region has not */
  place(offset: number, byteSize: number): SharedMemoryPlace {
    const { name, byteSize: size } = this.description;
    if (offset < 0 || offset >= size)
      throw new RuntimeError(
        'INVALID_ARGUMENT',
        `Invalid offset for shared memory region: '${name}'`,
      );
    if (byteSize < 0 || offset + byteSize > size)
      throw new RuntimeError(
        'INVALID_ARGUMENT',
        `Invalid offset + byte size for shared memory region: '${name}'`,
      );
    return new SharedMemoryPlace(this, offset, byteSize);
  }

  /** Fills `data`. @throws RuntimeError INVALID_ARGUMENT when the region is no longer as large, NOT_FOUND when it is closed */
  read(data: Buffer, offset: number): void {
    const file = this.#open();
    const from = this.description.offset + offset;
    for (let at = 0; at < data.length;) {
      const bytes = readSync(file, data, at, data.length - at, from + at);
      if (bytes === 0) throw this.#truncated();
      at += bytes;
    }
  }

  /** As `read`. Looks at the size first, because writing would make the region grow again. */
  write(data: Uint8Array, offset: number): void {
    const file = this.#open();
    const from = this.description.offset + offset;
    if (fstatSync(file).size < from + data.length) throw this.#truncated();
    for (let at = 0; at < data.length;)
      at += writeSync(file, data, at, data.length - at, from + at);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  // ---- details below; callers need not read ----

  #open(): number {
    if (this.#file !== undefined) return this.#file;
    throw noSuchRegion(this.description.name);
  }

  #truncated(): RuntimeError {
    const text = `shared memory region '${this.description.name}' is smaller than when it was registered`;
    return new RuntimeError('INVALID_ARGUMENT', text);
  }
}

/** Bytes of a region that it had when the place was asked for. */
export class SharedMemoryPlace {
  readonly byteSize: number;
  readonly #region: SharedMemoryRegion;
  readonly #offset: number;

  constructor(region: SharedMemoryRegion, offset: number, byteSize: number) {
    this.#region = region;
    this.#offset = offset;
    this.byteSize = byteSize;
  }

  read(): Buffer {
    const data = Buffer.allocUnsafe(this.byteSize);
    this.#region.read(data, this.#offset);
    return data;
  }

  /** From the beginning; no more than `byteSize` bytes. */
  write(data: Uint8Array): void {
    this.#region.write(data, this.#offset);
  }
}

export function noSuchRegion(name: string): RuntimeError {
  return new RuntimeError('NOT_FOUND', `Unable to find shared memory region: '${name}'`);
}

/** Where Linux keeps what shm_open names. */
const DIRECTORY = '/dev/shm';

/** Of Triton's own regions, which clients of a Triton on the same machine must not touch. */
const RESERVED_PREFIX = 'triton_python_backend_shm_region_';

function openFile({ name, key }: RegionDescription): number {
  const fileName = key.replace(/^\//, '');
  if (fileName.startsWith(RESERVED_PREFIX)) {
    const text = `cannot register shared memory region '${name}' with key '${key}' as the key contains the reserved prefix '${RESERVED_PREFIX}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  // A key is one name: nothing outside the directory can be reached by it.
  if (['', '.', '..'].includes(fileName) || /[/\0]/.test(fileName)) throw cannotOpen(key);
  let file: number;
  try {
    // No link is followed, and a pipe does not make the server wait.
    const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
    file = openSync(`${DIRECTORY}/${fileName}`, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw cannotOpen(key, error);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw cannotOpen(key);
}

function cannotOpen(key: string, cause?: unknown): RuntimeError {
  const text = `Unable to open shared memory region: '${key}'`;
  return new RuntimeError('INTERNAL', text, { cause });
}
