// The package as a part of another program: by its name, its build and its published types.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityRepository } from './harness/identity-repository.js';
import { SAMPLE_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { UserProject } from './harness/user-project.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = join(ROOT, 'runtime/e2e/fixtures/embedding.mjs');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** The program with these arguments, until it ends by itself. */
function run(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], (_error, out, errors) =>
      resolve({ code: child.exitCode ?? -1, out, errors }),
    );
  });
}

const fixed = (model: string, array: string, values: readonly (number | string)[]): object => ({
  ...{ model: `identity_${model}`, datatype: model.toUpperCase(), shape: [1, 2] },
  data: { array, values },
});
const listed = (model: string, values: readonly unknown[]): object => ({
  ...{ model: `identity_${model}`, data: { values: [values] } },
});

const REQUESTS: readonly object[] = [
  fixed('fp32', 'Float32Array', [0.5, -1]),
  fixed('fp64', 'Float64Array', [Math.PI, -0]),
  fixed('int64', 'BigInt64Array', ['-9223372036854775808n', '9223372036854775807n']),
  fixed('uint64', 'BigUint64Array', ['0n', '18446744073709551615n']),
  fixed('int8', 'Int8Array', [-128, 127]),
  fixed('uint16', 'Uint16Array', [0, 65535]),
  fixed('fp16', 'Float32Array', [1, 0.1]),
  fixed('bf16', 'Uint16Array', [0x3f80, 0xbf80]),
  listed('bytes', ['héllo', '']),
  listed('bool', [true, false]),
];

/** One row waits for more, or for a second and a half. */
const WAITS = `
  backend: "onnxruntime" max_batch_size: 8
  dynamic_batching { preferred_batch_size: [8] max_queue_delay_microseconds: 1500000 }`;

describe('a program with servers of its own', () => {
  const repository = identityRepository();
  const broken = new TemporaryRepository();
  broken.write('broken/1/model.onnx', 'no model');
  const shape = ['batch', 'width'];
  repository.model(
    'waits',
    {
      inputs: [{ name: 'x', type: 1, shape }],
      outputs: [{ name: 'y', type: 1, shape }],
      nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    },
    WAITS,
  );
  let ended: Ended;
  let report: Record<string, unknown>;

  beforeAll(async () => {
    ended = await run(repository.path, broken.path, JSON.stringify(REQUESTS));
    expect(ended.errors).toBe('');
    report = JSON.parse(ended.out) as Record<string, unknown>;
  });
  afterAll(() => {
    repository.remove();
    broken.remove();
  });

  it('ends by itself with code 0, and nothing but its own words on its outputs', () => {
    expect(ended).toMatchObject({ code: 0, errors: '' });
    expect(report['handlers']).toEqual([0, 0]);
  });

  it('gets the answers that its server gives over gRPC', () => {
    const pairs = report['same'] as [unknown, unknown][];
    expect(pairs).toHaveLength(REQUESTS.length + 12);

    for (const [overGrpc, inProcess] of pairs) expect(inProcess).toEqual(overGrpc);
    for (const [answer] of pairs.slice(0, REQUESTS.length))
      expect(answer).toHaveProperty('outputs.y.data');
    expect(pairs[0]![1]).toMatchObject({
      ...{ id: 'identity_fp32', modelVersion: '1' },
      outputs: { y: { datatype: 'FP32', shape: [1, 2], data: { Float32Array: ['0.5', '-1'] } } },
    });
  });

  it('is told why a server does not start', () => {
    expect(report['notStarted']).toEqual([
      {
        code: 'MODEL_NOT_READY',
        failed: expect.stringMatching(
          /^broken could not be loaded; exitOnError: false .*\n {2}broken: ./,
        ) as string,
      },
      {
        code: 'INTERNAL',
        failed: expect.stringMatching(/^cannot listen on grpcPort: \d+ of grpcAddress: /) as string,
      },
      { code: 'INVALID_ARGUMENT', failed: "there is no option 'port'" },
    ]);
  });

  it('has requests that are too late refused by the queue, and those that are aborted taken out of it', () => {
    expect(report['late']).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(report['aborted']).toMatchObject({ code: 'CANCELLED' });
    expect(report['statistics']).toMatchObject([
      { executionCount: 0, inferenceStats: { success: { count: 0 }, fail: { count: 2 } } },
    ]);
  });

  it('goes on with one server when the other is closed', () => {
    expect(report['stillServed']).toEqual({ Float32Array: ['1', '2'] });
  });

  it('gets the answer to what was under way when the server closed, and none after that', () => {
    expect(report['drained']).toMatchObject({ y: { data: { Float32Array: ['1', '2'] } } });
    expect(report['refused']).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(report['ready']).toBe(false);
  });
});

describe('a program in TypeScript', () => {
  const project = new UserProject({ hasServer: true });
  afterAll(() => project.remove());

  it('can be the one of docs/embedding.md', async () => {
    const text = readFileSync(join(ROOT, 'docs/embedding.md'), 'utf8');
    const example = /^```ts\n([^]*?)^```/m.exec(text)![1]!;
    project.write(
      'example.ts',
      example.replace("'model_repository'", JSON.stringify(SAMPLE_MODELS)),
    );

    expect(project.compile('example.ts')).toEqual([]);
    expect(await project.run('example.js')).toMatch(
      /^\[ 1, 10 \] Float32Array\(10\) \[[^]*\]\nNOT_FOUND\n$/,
    );
  });

  it('may use pino, functions for typed models, and a server where a client was', () => {
    project.write(
      'typed.ts',
      `import { createServer, type Server, type ServerOptions } from 'inferd';
       import { typedModel, type InferdClient, type TypedInput } from 'inferd-client';
       import { pino } from 'pino';
       const digits = typedModel<{ pixels: TypedInput<'FP32'> }, { probabilities: unknown }>(
         'digits', { pixels: { datatype: 'FP32', shape: [-1, 64] } });
       const options: ServerOptions = { modelRepository: ['a', 'b'], log: pino(), grpcPort: 0 };
       export async function use(server: Server, client: InferdClient): Promise<void> {
         for (const either of [server, client]) {
           await digits(either, { pixels: new Float32Array(64) });
           await either.loadModel('m', { config: { maxBatchSize: 1 } });
           const [first] = await either.modelStatistics('m', { version: 1 });
           console.log(first?.executionCount, await either.isModelReady('m'));
         }
         for await (const { outputs } of server.inferStream('m', { x: ['a'] })) console.log(outputs);
       }
       await createServer(options);`,
    );

    expect(project.compile('typed.ts')).toEqual([]);
  });

  it('is told what is wrong with its options', () => {
    project.write(
      'wrong.ts',
      `import { createServer } from 'inferd';
       await createServer({ modelRepository: 'm', grpcPort: '1' });
       await createServer({ modelRepository: 'm', prot: 1 });`,
    );

    expect(project.compile('wrong.ts')).toEqual([
      expect.stringContaining("Type 'string' is not assignable to type 'number'"),
      expect.stringContaining("'prot' does not exist in type 'EmbeddingOptions'"),
    ]);
  });
});
