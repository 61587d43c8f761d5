// The subcommands of the built `inferd`, as a user types them.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { identityRepository } from './harness/identity-repository.js';
import { serving } from './harness/serving.js';
import { SAMPLE_MODELS } from './harness/temporary-repository.js';
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

describe('inferd', () => {
  it.each([
    [['types', '--help'], /^Usage: inferd types \[MODEL\.\.\.\]/],
    [['help'], /types \[MODEL\.\.\.\].*Write TypeScript types/],
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
