import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { IMAGE_MALLOC_CONF } from './allocator.js';

const DOCKERFILE = fileURLToPath(new URL('../../Dockerfile', import.meta.url));

describe('the setting of jemalloc', () => {
  it("is the image's", () => {
    const [, setting] = /^\s+MALLOC_CONF=(\S+)/m.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];

    expect(setting).toBe(IMAGE_MALLOC_CONF);
  });
});
