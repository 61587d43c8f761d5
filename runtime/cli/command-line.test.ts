import { describe, expect, it } from 'vitest';
import { FLAGS } from '../config/flags.js';
import { InvalidOption } from '../config/invalid-option.js';
import { serverOptionsFrom, type ServerOptions } from '../config/server-options.js';
import { Shown, environmentName, parseCommandLine, type CommandLine } from './command-line.js';

function parse(
  argv: string[],
  environment: Record<string, string> = {},
): CommandLine & { shown: string } {
  let shown = '';
  const output = { version: '1.2.3', write: (text: string) => void (shown += text) };
  return { ...parseCommandLine(argv, environment, output), shown };
}

function options(...argv: string[]): ServerOptions {
  return serverOptionsFrom(parse(['--model-repository=models', ...argv]).values);
}

function refusal(...argv: string[]): string {
  try {
    options(...argv);
  } catch (error) {
    if (error instanceof InvalidOption) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the command line', () => {
  it('has the defaults of tritonserver', () => {
    expect(options()).toMatchObject({
      modelRepositories: ['models'],
      modelControlMode: 'none',
      loadModels: 'all',
      modelLoadThreads: 4,
      autoComplete: true,
      defaultMaxBatchSize: 4,
      strictReadiness: true,
      exitOnError: true,
      exitTimeoutMs: 30_000,
      grpc: { address: '0.0.0.0', port: 8001, keepaliveTimeMs: 7_200_000, restrictions: [] },
      http: { address: '0.0.0.0', port: 8000 },
      metrics: { address: '0.0.0.0', port: 8002 },
      allowClientSharedMemory: false,
    });
  });

  it('takes values after = and after a space', () => {
    expect(options('--grpc-port=1', '--http-port', '2')).toMatchObject({
      grpc: { port: 1 },
      http: { port: 2 },
    });
  });

  it.each([
    [['--strict-readiness=false'], false],
    [['--strict-readiness', 'False'], false],
    [['--strict-readiness=0'], false],
    [['--strict-readiness'], true],
    [['--strict-readiness=true'], true],
    [['--strict-readiness=false', '--strict-readiness=true'], true],
  ])('reads %j', (argv, value) => {
    expect(options(...argv).strictReadiness).toBe(value);
  });

  it('takes several repositories and models', () => {
    expect(
      options(
        '--model-repository',
        'b',
        '--model-store=c',
        '--model-control-mode=explicit',
        '--load-model=x',
        '--load-model',
        'y',
      ),
    ).toMatchObject({ modelRepositories: ['models', 'b', 'c'], loadModels: ['x', 'y'] });
    expect(options('--model-control-mode=explicit', '--load-model=*').loadModels).toBe('all');
    expect(options('--model-control-mode=explicit').loadModels).toEqual([]);
  });

  it('turns servers off', () => {
    expect(options('--allow-http=false', '--allow-metrics=0')).toMatchObject({
      http: undefined,
      metrics: undefined,
    });
    expect(options('--allow-grpc=no').grpc).toBeUndefined();
  });

  it('reads the batch size for models that name none', () => {
    expect(
      options('--backend-config=onnxruntime,default-max-batch-size=16').defaultMaxBatchSize,
    ).toBe(16);
    expect(
      options('--backend-config=tensorflow,default-max-batch-size=16').defaultMaxBatchSize,
    ).toBe(4);
  });

  it('reads restrictions', () => {
    expect(
      options('--grpc-restricted-protocol=model-repository,health:admin=secret=x').grpc
        ?.restrictions,
    ).toEqual([{ categories: ['model-repository', 'health'], key: 'admin', value: 'secret=x' }]);
  });

  it.each([
    [['--grpc-prot=1'], "unknown flag '--grpc-prot'; did you mean --grpc-port? See inferd --help"],
    [['--nonsense'], "unknown flag '--nonsense'. See inferd --help"],
    [
      ['extra'],
      'there is an argument that belongs to no flag; write --name=value or --name value. See inferd --help',
    ],
    [['--grpc-use-ssl'], '--grpc-server-cert is needed for TLS'],
    [
      ['--grpc-restricted-protocol=infer:k=v'],
      "--grpc-restricted-protocol: there is no category 'infer'; one of health, metadata, inference, shared-memory, model-config, model-repository, statistics, trace, logging",
    ],
    [
      ['--grpc-restricted-protocol=health:k=v', '--grpc-restricted-protocol=trace,health:k=w'],
      "--grpc-restricted-protocol names the category 'health' twice",
    ],
    [
      ['--allow-http=false', '--allow-metrics=false', '--allow-grpc=false'],
      'there is nothing to serve: --allow-grpc, --allow-http and --allow-metrics are all false',
    ],
    [['--http-port=9000', '--metrics-port=9000'], '--http-port and --metrics-port are both 9000'],
    [
      ['--exit-timeout-secs=3000000'],
      '--exit-timeout-secs takes a number up to 2147483, got 3000000',
    ],
    [
      ['--grpc-restricted-protocol=health'],
      "--grpc-restricted-protocol takes CATEGORIES:KEY=VALUE, got 'health'",
    ],
    [
      ['--backend-config=onnxruntime,default-max-batch-size=x'],
      "--backend-config: default-max-batch-size takes a whole number, got 'x'",
    ],
  ])('refuses %j in one line', (argv, message) => {
    expect(refusal(...argv)).toBe(message);
  });

  it('asks for a repository', () => {
    expect(() => serverOptionsFrom(parse([]).values)).toThrow(
      '--model-repository is needed: the directory that holds the model directories',
    );
  });

  it('takes flags from the environment, and the command line before them', () => {
    const environment = {
      INFERD_MODEL_REPOSITORY: 'a,b',
      INFERD_GRPC_PORT: '5',
      INFERD_HTTP_PORT: '6',
    };

    const { values } = parse(['--grpc-port=7'], environment);

    expect(serverOptionsFrom(values)).toMatchObject({
      modelRepositories: ['a', 'b'],
      grpc: { port: 7 },
      http: { port: 6 },
    });
  });

  it('accepts flags that have no effect, each with one warning', () => {
    const { warnings } = parse([
      '--pinned-memory-pool-byte-size=1',
      '--host-policy=a',
      '--host-policy=b',
    ]);

    expect(warnings).toEqual([
      '--pinned-memory-pool-byte-size has no effect: ONNX Runtime manages its memory',
      '--host-policy has no effect: instances are not bound to NUMA nodes',
    ]);
  });

  it('explains every flag in --help, in groups', () => {
    let shown = '';
    const help = (): unknown =>
      parseCommandLine(['--help'], {}, { version: '1', write: (text) => void (shown += text) });

    expect(help).toThrow(Shown);
    for (const { name } of FLAGS) expect(shown).toContain(`--${name} `);
    expect(shown).toMatch(/^Model repository:$/m);
    expect(shown).toContain('--grpc-port is INFERD_GRPC_PORT');
  });

  it('has no two flags of one name', () => {
    const names = FLAGS.map(environmentName);

    expect(new Set(names).size).toBe(names.length);
  });
});
