// A POSIX shared memory region as a client makes it.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';

/** Where there are none, tests of them are skipped. */
export const HAS_SHARED_MEMORY = existsSync('/dev/shm');

export class SharedMemoryFile {
  readonly key = `/inferd-test-${randomUUID()}`;

  constructor(bytes: Uint8Array) {
    writeFileSync(this.path, bytes);
  }

  get path(): string {
    return `/dev/shm${this.key}`;
  }

  /** As of now. */
  get bytes(): Buffer {
    return readFileSync(this.path);
  }

  resize(bytes: number): void {
    truncateSync(this.path, bytes);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
