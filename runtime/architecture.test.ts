// Who may import whom. The table is the architecture (docs/architecture.md draws it); this test reads the imports of every file
// and holds them against it. Type imports count: a folder that knows another's types knows the folder.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const RUNTIME = fileURLToPath(new URL('./', import.meta.url));

interface Rule {
  /** Folders of runtime/, or single files as 'folder/file'. */
  readonly may: readonly string[];
  /** npm packages, and node: modules. */
  readonly packages: readonly string[];
}

const RULES: Readonly<Record<string, Rule>> = {
  core: { may: [], packages: ['node:v8', 'node:vm'] },
  config: { may: ['core'], packages: ['protobufjs', 'node:fs', 'node:os', 'node:url'] },
  layer: { may: ['core', 'config'], packages: ['node:buffer'] },
  pipeline: { may: ['core', 'config'], packages: [] },
  scheduler: { may: ['core', 'config'], packages: [] },
  cache: { may: ['core', 'config'], packages: ['lru-cache', 'ioredis', 'node:crypto'] },
  instance: {
    may: [
      'core',
      'config',
      'scheduler/batch-runner',
      'scheduler/script-runner',
      'worker/protocol',
      'worker/script-protocol',
    ],
    packages: ['piscina', 'node:os', 'node:fs', 'node:module', 'node:path', 'node:worker_threads'],
  },
  // Piscina here only to hand memory over.
  worker: {
    may: ['core', 'config'],
    packages: [
      'onnxruntime-node',
      'piscina',
      'node:worker_threads',
      'node:fs',
      'node:module',
      'node:path',
      'node:util',
    ],
  },
  // Bytes of the protocol, for those who serve it and those who ask.
  wire: { may: ['core'], packages: ['node:buffer'] },
  remote: { may: ['core', 'config', 'wire'], packages: ['@grpc/grpc-js', 'node:dns/promises'] },
  repository: {
    may: ['core', 'config'],
    packages: ['p-limit', 'node:crypto', 'node:fs', 'node:fs/promises', 'node:os', 'node:path'],
  },
  frontend: {
    may: ['core', 'wire'],
    packages: [
      '@grpc/grpc-js',
      '@grpc/proto-loader',
      '@grpc/reflection',
      'protobufjs',
      'fastify',
      'inferd-client',
      'node:buffer',
      'node:events',
      'node:fs',
      'node:url',
    ],
  },
  observability: {
    may: ['core', 'config', 'repository/load-observer'],
    packages: [
      'pino',
      'pino-pretty',
      'prom-client',
      '@opentelemetry/api',
      '@opentelemetry/sdk-node',
      '@opentelemetry/exporter-trace-otlp-proto',
      'node:os',
    ],
  },
  cli: { may: ['core', 'config'], packages: ['commander', 'cli-table3', 'inferd-client'] },
  assembly: {
    may: [
      'core',
      'config',
      'layer',
      'pipeline',
      'remote',
      'cache',
      'scheduler',
      'instance',
      'repository',
      'worker/script-protocol',
      'worker/script-positions',
    ],
    packages: ['esbuild', 'node:fs/promises', 'node:module', 'node:path', 'node:url'],
  },
  'version.ts': { may: [], packages: [] },
  'server-lifecycle.ts': { may: ['core', 'frontend/server-health'], packages: [] },
  'front-ends.ts': {
    may: ['core', 'config', 'frontend', 'observability', 'server-lifecycle', 'version'],
    packages: [],
  },
  'server.ts': {
    may: [
      'core',
      'config',
      'cache',
      'instance',
      'repository',
      'observability',
      'assembly',
      'front-ends',
      'server-lifecycle',
    ],
    packages: [],
  },
  'embedded-server.ts': {
    may: ['core', 'config', 'frontend', 'observability/host-log', 'server'],
    packages: ['inferd-client'],
  },
  'index.ts': {
    may: ['core', 'config', 'frontend/infer-options', 'worker/model-api', 'embedded-server'],
    packages: [],
  },
  'check-repository.ts': {
    may: ['core', 'config', 'instance', 'repository', 'cli/repository-check', 'assembly'],
    packages: [],
  },
  'main.ts': {
    may: ['core', 'config', 'cli', 'observability', 'server', 'check-repository', 'version'],
    packages: ['node:fs/promises'],
  },
};

/** Packages with one home: exchanging one touches one folder. grpc-js' second home is the client of remote models. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  piscina: ['instance', 'worker'],
  'onnxruntime-node': ['worker'],
  esbuild: ['assembly'],
  '@grpc/grpc-js': ['frontend', 'remote'],
  fastify: ['frontend'],
  pino: ['observability'],
  'prom-client': ['observability'],
  commander: ['cli'],
  'lru-cache': ['cache'],
  ioredis: ['cache'],
  'inferd-client': ['cli', 'frontend', 'embedded-server.ts'],
};

interface Import {
  /** Relative to runtime/, with '/' . */
  readonly from: string;
  readonly what: string;
}

function sourceFiles(): string[] {
  return readdirSync(RUNTIME, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .filter((path) => !/(\.test\.ts|^testing\/|^e2e\/)/.test(path));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(RUNTIME, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s[^;]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm,
  );
  return [...statements].map((match) => ({
    from: file,
    what: match[1] ?? match[2] ?? match[3] ?? '',
  }));
}

/** 'core/errors' for '../core/errors.js'; undefined for a package. */
function target({ from, what }: Import): string | undefined {
  if (!what.startsWith('.')) return undefined;
  return normalize(join(dirname(from), what))
    .replaceAll('\\', '/')
    .replace(/\.js$/, '');
}

function packageName(what: string): string {
  if (what.startsWith('node:')) return what;
  return what
    .split('/')
    .slice(0, what.startsWith('@') ? 2 : 1)
    .join('/');
}

function homeOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file;
}

function violations(file: string, imports = importsOf(file)): string[] {
  const home = homeOf(file);
  const rule = RULES[home];
  if (!rule) return [`${file}: '${home}' is not in the table`];
  return imports.flatMap((item) => {
    const path = target(item);
    const allowed =
      path === undefined
        ? rule.packages.includes(packageName(item.what))
        : homeOf(path) === home || rule.may.includes(homeOf(path)) || rule.may.includes(path);
    return allowed ? [] : [`${file} may not import ${item.what} (see docs/architecture.md)`];
  });
}

describe('the architecture', () => {
  it('has no import that its table does not allow', () => {
    expect(sourceFiles().flatMap((file) => violations(file))).toEqual([]);
  });

  it('has no cycles, type imports included', () => {
    const graph = new Map(
      sourceFiles().map((file) => [
        file.replace(/\.ts$/, ''),
        importsOf(file).flatMap((item) => target(item) ?? []),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' > '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);

    expect(cycles).toEqual([]);
  });

  it('has no barrels', () => {
    expect(sourceFiles().filter((file) => /\/index\.ts$/.test(file))).toEqual([]);
  });

  it('keeps each package at home', () => {
    const strays = sourceFiles().flatMap((file) =>
      importsOf(file)
        .filter(({ what }) => HOMES[packageName(what)]?.includes(homeOf(file)) === false)
        .map(({ what }) => `${file} imports ${what}`),
    );

    expect(strays).toEqual([]);
  });

  it('reads process only in main.ts', () => {
    const readers = sourceFiles().filter((file) => {
      const code = readFileSync(join(RUNTIME, file), 'utf8').replace(/\/\/.*|\/\*[^]*?\*\//g, '');
      return /\bprocess\.(?!platform|arch)/.test(code);
    });

    expect(readers).toEqual(['main.ts']);
  });

  it('names no test helper in the product', () => {
    const users = sourceFiles().filter((file) =>
      importsOf(file).some(({ what }) => what.includes('testing/')),
    );

    expect(users).toEqual([]);
  });

  it.each([
    ['core/call.ts', '../frontend/grpc-status.js'],
    ['layer/observe.ts', 'prom-client'],
    ['instance/instance-group.ts', '../scheduler/batch-scheduler.js'],
    ['nowhere/file.ts', '../core/call.js'],
  ])('would notice that %s imports %s', (from, what) => {
    expect(violations(from, [{ from, what }])).toHaveLength(1);
  });
});
