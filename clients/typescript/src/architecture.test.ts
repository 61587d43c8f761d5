// The client is a package of its own: it knows the protocol and two libraries, and nothing of the server.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('./', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../package.json', import.meta.url));

function importsOf(file: string): string[] {
  const text = readFileSync(SOURCES + file, 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map((match) => match[1] ?? match[2] ?? '');
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
);

describe('inferd-client', () => {
  it.each(files)('%s imports its own files, its two packages and Node.js only', (file) => {
    const { dependencies } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { dependencies: object };
    const known = ['@grpc/grpc-js', 'protobufjs'];
    expect(Object.keys(dependencies)).toEqual(known);
    const up = file.includes('/') ? '../' : './';

    const strange = importsOf(file).filter(
      (what) =>
        !known.includes(what) &&
        !what.startsWith('node:') &&
        !(what.startsWith(up) && !what.slice(up.length).includes('..')) &&
        !what.startsWith('./'),
    );

    expect(strange).toEqual([]);
  });

  it('speaks grpc-js in one place, and in the names of its statuses', () => {
    const product = files.filter((file) => !file.startsWith('testing/'));

    const users = product.filter((file) => importsOf(file).includes('@grpc/grpc-js'));

    expect(users.sort()).toEqual(['grpc-connection.ts', 'inferd-error.ts']);
  });

  it('has one barrel, its entry', () => {
    expect(files.filter((file) => file.endsWith('index.ts'))).toEqual(['index.ts']);
  });
});
