import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EmbeddingOptions } from './embedding-options.js';
import { FLAGS } from './flags.js';
import { InvalidOption } from './invalid-option.js';
import { inOptionNames, readEmbeddingOptions } from './read-embedding-options.js';
import { serverOptionsFrom, type ServerOptions } from './server-options.js';

const modelRepository = 'models';

function refusal(options: object): string {
  try {
    readEmbeddingOptions(options as EmbeddingOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOption);
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('the options of an embedded server', () => {
  it('have the defaults of the flags, but for the front ends, of which there is none', () => {
    const defaults = new Map(
      FLAGS.map((flag) => [flag.name, flag.default === undefined ? [] : [flag.default]]),
    );
    const ofFlags = serverOptionsFrom(defaults.set('model-repository', ['models']));

    expect(readEmbeddingOptions({ modelRepository })).toEqual({
      ...ofFlags,
      ...{ grpc: undefined, http: undefined, metrics: undefined },
    });
  });

  it('are the flags under the names of JavaScript', () => {
    const options = readEmbeddingOptions({
      modelRepository: ['a', 'b'],
      modelControlMode: 'explicit',
      loadModel: ['x', 'y'],
      exitOnError: false,
      exitTimeoutSecs: 5,
      cacheConfig: 'local,size=1048576',
      maxModelMemory: '2G',
    });

    expect(options).toMatchObject({
      modelRepositories: ['a', 'b'],
      modelControlMode: 'explicit',
      loadModels: ['x', 'y'],
      exitOnError: false,
      exitTimeoutMs: 5000,
      responseCache: { kind: 'local' },
      maxModelMemoryBytes: 2 ** 31,
    });
  });

  it.each<[Partial<EmbeddingOptions>, Partial<Record<keyof ServerOptions, object | undefined>>]>([
    [{ grpcPort: 0 }, { grpc: { port: 0 }, http: undefined, metrics: undefined }],
    [{ allowHttp: true }, { grpc: undefined, http: { port: 8000 }, metrics: undefined }],
    [{ metricsPort: 9000, allowMetrics: false }, { metrics: undefined }],
  ])('%j is which front ends there are', (given, expected) => {
    expect(readEmbeddingOptions({ modelRepository, ...given })).toMatchObject(expected);
  });

  it.each([
    [{}, 'modelRepository is needed: the directory that holds the model directories'],
    [{ modelRepository, port: 1 }, "there is no option 'port'"],
    [{ modelRepository, 'grpc-port': 1 }, "there is no option 'grpc-port'"],
    [{ modelRepository, logFile: 'x' }, "there is no option 'logFile'"],
    [{ modelRepository, processes: 2 }, "there is no option 'processes'"],
    [{ modelRepository, grpcPort: '1' }, "grpcPort takes a number, got '1'"],
    [{ modelRepository, grpcPort: 1.5 }, "grpcPort takes a whole number, got '1.5'"],
    [{ modelRepository, grpcPort: 70_000 }, 'grpcPort takes a number up to 65535, got 70000'],
    [{ modelRepository, exitOnError: 'no' }, "exitOnError takes a boolean, got 'no'"],
    [{ modelRepository: 1 }, 'modelRepository takes a string or a list of them, got 1'],
    [{ modelRepository, id: ['a'] }, 'id takes a string, got a'],
    [
      { modelRepository, modelControlMode: 'all' },
      "modelControlMode takes one of none, explicit, poll, got 'all'",
    ],
    [
      { modelRepository, loadModel: 'x' },
      'loadModel needs modelControlMode: explicit; without it every model is loaded',
    ],
    [{ modelRepository, grpcPort: 1, httpPort: 1 }, 'grpcPort and httpPort are both 1'],
  ])('%j is refused in one sentence', (given, text) => {
    expect(refusal(given)).toBe(text);
  });

  it('have a type that knows every flag that does something, and how its values are written', () => {
    const source = readFileSync(new URL('embedding-options.ts', import.meta.url), 'utf8');
    const typed = [...source.matchAll(/^ {2}readonly (\w+)\??: (.+);$/gm)]
      .map(([, name, type]) => `${name!}: ${type!}`)
      .filter((line) => line !== 'log: Log');

    const elsewhere = ['log-format', 'log-file', 'model-store', 'strict-model-config'];
    const ofFlags = FLAGS.filter(
      ({ name, ineffective }) => !ineffective && !elsewhere.includes(name),
    ).map(({ name, kind, value, repeatable }) => {
      const option = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      if (kind !== 'text') return `${option}: ${kind === 'integer' ? 'number' : kind}`;
      if (repeatable) return `${option}: string | readonly string[]`;
      const choices = value.split('|').map((choice) => `'${choice}'`);
      return `${option}: ${choices.length > 1 ? choices.join(' | ') : 'string'}`;
    });
    expect(typed.sort()).toEqual(ofFlags.sort());
  });
});

describe('a text about flags', () => {
  it.each([
    [
      'cannot listen on --grpc-port=1 of --grpc-address',
      'cannot listen on grpcPort: 1 of grpcAddress',
    ],
    ['--exit-on-error=false starts', 'exitOnError: false starts'],
    ['--other-flag stays', '--other-flag stays'],
  ])('"%s" becomes "%s"', (flags, options) => {
    expect(inOptionNames(flags)).toBe(options);
  });
});
