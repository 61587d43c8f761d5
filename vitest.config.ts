import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Sources in place of the build, so that unit tests need none. */
const alias = {
  'inferd-client/wire': fileURLToPath(new URL('./clients/typescript/src/wire.ts', import.meta.url)),
  'inferd-client': fileURLToPath(new URL('./clients/typescript/src/index.ts', import.meta.url)),
};

/** A property with thousands of cases takes seconds, and many times that on a machine with other things to do. */
const HANGS_MS = 60_000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'client',
          include: ['clients/typescript/src/**/*.test.ts'],
          testTimeout: HANGS_MS,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'unit',
          include: ['runtime/**/*.test.ts', 'benchmarks/**/*.test.ts'],
          exclude: ['runtime/e2e/**'],
          testTimeout: HANGS_MS,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['runtime/e2e/**/*.e2e.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // What is polled for may have to wait for a thread that is computing.
          expect: { poll: { timeout: 60_000 } },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'fuzz',
          include: ['runtime/e2e/**/*.fuzz.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
