// The subcommands of the built `inferd`, as a user types them.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { RepositoryCheck } from '../cli/repository-check.js';
import { identityRepository } from './harness/identity-repository.js';
import { fp32, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { SAMPLE_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { UserProject } from './harness/user-project.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'dist/runtime/main.js');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function inferd(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

/** A program of the user's: it has to compile as it stands, and to print what the test expects. */
const PROGRAM = `
import { InferdClient } from 'inferd-client';
import { identityBf16, identityBytes, identityFp32, identityInt64 } from './models.js';

const client = new InferdClient({ addresses: process.argv[2]! });
const texts: readonly string[] = (await identityBytes(client, { x: [['a', 'b']] })).outputs.y.data;
const floats: Float32Array = (await identityFp32(client, { x: { data: Float32Array.of(1, 2), shape: [1, 2] } })).outputs.y.data;
const integers = await identityInt64(client, { x: [[1, 2n]] }, { id: 'i', outputs: ['y'] });
const whole: BigInt64Array = integers.outputs.y.data;
const halves: Uint16Array = (await identityBf16(client, { x: [[1]] })).outputs.y.data;
console.log(texts.join(), floats.join(), whole.join(), halves.join(), integers.id);
client.close();

export const wrong = (): void => {
  // @ts-expect-error the input is missing
  void identityFp32(client, {});
  // @ts-expect-error there is no such input
  void identityFp32(client, { x: [[1]], z: [[1]] });
  // @ts-expect-error texts are no numbers
  void identityFp32(client, { x: [['a']] });
  // @ts-expect-error another typed array
  void identityFp32(client, { x: new Float64Array(1) });
  // @ts-expect-error there is no such output
  void identityFp32(client, { x: [[1]] }, { outputs: ['z'] });
};
`;

describe('inferd types', () => {
  const served = serving(identityRepository());
  const project = new UserProject();
  afterAll(() => project.remove());
  const url = (): string => `localhost:${served.server.ports.grpc!}`;

  it('writes wrappers that compile against the types of the package, and work', async () => {
    project.write('program.ts', PROGRAM);

    const told = await inferd('types', '--url', url(), '--out', project.path('models.ts'));

    expect(told).toMatchObject({ code: 0, out: '' });
    expect(told.err).toMatch(/^wrote .*models\.ts: identity_bf16, identity_bool, /);
    expect(project.compile('program.ts')).toEqual([]);
    expect(await project.run('program.js', url())).toBe('a,b 1,2 1,2 16256 i\n');
  });

  it('writes the same for the same models, whatever their order', async () => {
    const one = await inferd('types', 'identity_fp32', 'identity_bool', '--url', url());
    const other = await inferd('types', 'identity_bool', 'identity_fp32', `--url=${url()}`);

    expect(one.out).toBe(other.out);
    expect(one.out).toContain('/** FP32 [-1, -1] */');
  });

  it.each([
    [['types', 'nope'], /^inferd: .*'nope' is not found \(NOT_FOUND from localhost:\d+\)\n$/],
    [['types', '--out', '/nowhere/models.ts'], /^inferd: --out: ENOENT: .*\n$/],
  ])('says in one line what is wrong with %j', async (args, text) => {
    const { code, out, err } = await inferd(...args, '--url', url());

    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(text);
  });
});

describe('the tools for operators', () => {
  const repository = new TemporaryRepository();
  for (const name of ['digits', 'spam_light'])
    repository.copy(join(SAMPLE_MODELS, name), name, 'version_policy { all { } }');
  repository.write('broken/1/model.onnx', 'junk');
  const served = serving(repository, ['--model-control-mode=explicit', '--load-model=digits']);
  const ask = (...args: string[]): Promise<Ended> =>
    inferd(...args, '--url', `localhost:${served.server.ports.grpc!}`);
  const asked = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await ask(...args, '--json')).out) as Record<string, unknown>;

  it('load models and tell of all that fail, list them, unload them', async () => {
    const loaded = await ask('load', 'spam_light', 'broken', 'nope');

    expect(loaded.code).toBe(1);
    expect(loaded.out).toMatch(/^spam_light: versions 1, 2 ready after [\d.]+ m?s\n$/);
    expect(loaded.err).toMatch(
      /^inferd: broken: load failed for model 'broken': .*\ninferd: nope: failed to load 'nope'.*\n$/,
    );
    expect((await ask('index')).out).toMatch(/│ broken +│ 1 +│ UNAVAILABLE │/);
    expect(await asked('index', '--ready')).toMatchObject({
      models: [
        { name: 'digits', version: '1', state: 'READY' },
        { name: 'spam_light', version: '1' },
        { name: 'spam_light', version: '2' },
      ],
    });
    expect(await ask('unload', 'spam_light')).toEqual({
      code: 0,
      out: 'spam_light: unloaded\n',
      err: '',
    });
    expect((await ask('ready', 'spam_light', '--quiet')).code).toBe(1);
  });

  it('say what is ready', async () => {
    expect(await ask('ready', 'digits', '--wait', '5')).toEqual({
      code: 0,
      out: 'digits is ready\n',
      err: '',
    });
    expect(await ask('ready', 'nope')).toMatchObject({
      code: 1,
      err: 'inferd: nope is not ready: the server knows no model of that name; inferd index lists them\n',
    });
  });

  it('describe a model', async () => {
    expect((await ask('metadata', 'digits')).out).toMatch(/│ input +│ pixels +│ FP32 │ \[-1, 64\]/);
    expect(await asked('metadata', 'digits')).toMatchObject({ name: 'digits', versions: ['1'] });
  });

  it('count what a model has done', async () => {
    const pixels = fp32('pixels', [3, 64], new Array<number>(192).fill(0));
    await served.client.infer(inferRequest('digits', [pixels]));

    expect(await asked('stats', 'digits')).toMatchObject({
      models: [{ name: 'digits', requests: 1, rows: 3, batches: 1, batchSizes: [{ rows: 3 }] }],
    });
  });

  it('explain a configuration, and give one that can be loaded', async () => {
    const { out: explained } = await ask('config', 'digits', '--explain');
    expect(explained).toMatch(/^version_policy\.all = \{ \} +# config\.pbtxt$/m);
    expect(explained).toMatch(/^input\[0\]\.dims = \[ 64 \] +# the model$/m);
    expect(explained).toMatch(/^instance_group\[0\]\.count = 2 +# default$/m);

    const { out: config } = await ask('config', 'digits');
    repository.write('digits.pbtxt', config.replace('count: 2', 'count: 1'));
    const loaded = await ask('load', 'digits', '--config', join(repository.path, 'digits.pbtxt'));

    expect(loaded).toMatchObject({ code: 0, err: '' });
    expect((await ask('config', 'digits', '--explain')).out).toMatch(
      /^instance_group\[0\]\.count = 1 +# load call$/m,
    );
  });

  it('say that there is no server', async () => {
    expect(await inferd('index', '--url', 'localhost:1')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^inferd: no server answers at localhost:1 \(connect ECONNREFUSED .*\)\. Start one with .*\n$/,
      ) as string,
    });
  });
});

describe('inferd check', () => {
  const repository = new TemporaryRepository();
  afterAll(() => repository.remove());

  it('finds nothing in the sample models', async () => {
    expect(await inferd('check', SAMPLE_MODELS)).toEqual({
      code: 0,
      out: '5 models, 6 versions: all good\n',
      err: '',
    });
  });

  it('finds everything in a repository of many faults', async () => {
    const model = join(SAMPLE_MODELS, 'digits');
    repository.write('a_syntax/config.pbtxt', 'max_batchsize: 8\ninput { data_type: FP32 }');
    repository.copy(model, 'b_values', 'max_batch_size: -1');
    repository.copy(
      model,
      'c_labels_and_shape',
      'max_batch_size: 2 output { name: "probabilities" data_type: TYPE_INT64 dims: 10 label_filename: "no.txt" }',
    );
    repository.write('d_junk/1/model.onnx', 'junk');
    repository.write('d_junk/2/model.onnx', 'junk, too');
    repository.write('d_junk/config.pbtxt', 'version_policy { all { } }');
    repository.write('e_layout/1/net.onnx', '');
    repository.copy(model, 'f_warned', 'instance_group { host_policy: "p" }');
    repository.copy(model, 'g_alone', 'resilience { fallback { model_name: "nowhere" } }');

    const { code, out } = await inferd('check', repository.path, '--json');

    const found = JSON.parse(out) as RepositoryCheck;
    const places = found.problems.map(({ model, version, path, line, column }) =>
      [model, version, path, line, column]
        .filter((part) => part !== undefined)
        .join(' ')
        .trim(),
    );
    expect(places).toEqual([
      'a_syntax max_batchsize 1 1',
      'a_syntax input[0].data_type 2 20',
      'b_values max_batch_size',
      'c_labels_and_shape output[0].label_filename',
      'c_labels_and_shape 1 output[0].data_type',
      'd_junk 1',
      'd_junk 2',
      'e_layout',
    ]);
    expect(found.warnings.map(({ model }) => model)).toEqual(['f_warned', 'g_alone']);
    expect({ code, models: found.models }).toEqual({ code: 1, models: 7 });
  });

  it('leaves models closed that it is told not to open', async () => {
    const { out } = await inferd('check', repository.path, '--config-only');

    expect(out).toContain('no.txt');
    expect(out).not.toMatch(/d_junk|expects datatype/);
  });
});

describe('inferd', () => {
  it.each([
    [['types', '--help'], /^Usage: inferd types \[MODEL\.\.\.\]/],
    [
      ['help'],
      /^ {2}index +List models and their states\.\n(?:.*\n)* {2}types +Write TypeScript types/m,
    ],
    [['help', 'load'], /^Usage: inferd load MODEL\.\.\./],
    [['--help'], /inferd help\n +the tools for a running server/],
  ])('teaches with %j', async (args, text) => {
    const { code, out } = await inferd(...args);

    expect(code).toBe(0);
    expect(out).toMatch(text);
  });

  it('knows no other words', async () => {
    expect(await inferd('tpyes')).toEqual({
      code: 1,
      out: '',
      err: "inferd: unknown command 'tpyes'. Did you mean types? See inferd help; the flags of the server begin with --\n",
    });
  });
});

describe('the TypeScript of the documents', () => {
  const served = serving(SAMPLE_MODELS);
  const project = new UserProject();
  afterAll(() => project.remove());

  it('compiles, and runs where it needs one server', async () => {
    const programs = ['clients/typescript/README.md', 'docs/clients.md'].flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return [...text.matchAll(/^```ts\n([^]*?)^```/gm)].map((match) => match[1]!);
    });
    const here = `localhost:${served.server.ports.grpc!}`;
    programs.forEach((program, i) =>
      project.write(`${i}.ts`, program.replaceAll('localhost:8001', here)),
    );

    expect(project.compile(...programs.map((_, i) => `${i}.ts`))).toEqual([]);
    const local = [...programs.keys()].filter((i) => programs[i]!.includes('localhost:8001'));
    const printed = await Promise.all(local.map((i) => project.run(`${i}.js`)));

    expect(printed).toEqual([
      expect.stringMatching(/^\[ 1, 10 \] Float32Array\(10\) \[/),
      expect.stringMatching(/\{ score: [\d.e-]+, index: \d+, label: '.*' \}/),
      expect.stringMatching(/^Float32Array\(2\) \[/),
    ]);
  });
});
