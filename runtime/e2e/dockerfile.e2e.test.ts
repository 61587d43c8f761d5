// The Dockerfile without Docker: its rules read off its text, and its own steps, run in a clean directory, make a server that works.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { FLAGS } from '../config/flags.js';
import { commandOf, contextFiles, environmentOf, lastOf, stagesOf } from './harness/dockerfile.js';
import { ImageTree } from './harness/image-tree.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { TestClient } from './harness/test-client.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const STAGES = stagesOf(DOCKERFILE);
const IMAGE = STAGES.at(-1)!;
const STEPS = STAGES.flatMap(({ steps }) => steps);

describe('the Dockerfile', () => {
  it('is one that Docker reads', () => {
    expect(validate(DOCKERFILE)).toEqual([]);
  });

  it('has bases with a tag that says which', () => {
    for (const { image } of STAGES) expect(image).toMatch(/^[\w./-]+:(?!latest\b)[\w.-]+$/);
  });

  it('builds in one stage and runs in another, which has no npm', () => {
    const commands = IMAGE.steps.filter(({ keyword }) => keyword === 'RUN');

    expect(STAGES.length).toBeGreaterThan(1);
    expect(commands.filter(({ text }) => /\bnp[mx]\b/.test(text))).toEqual([]);
    expect(environmentOf(IMAGE)).toMatchObject({ NODE_ENV: 'production', LANG: 'en_US.UTF-8' });
  });

  it('copies files and adds none', () => {
    expect(STEPS.filter(({ keyword }) => keyword === 'ADD')).toEqual([]);
  });

  it('installs packages of the system with nothing beside them and leaves no lists', () => {
    const installs = STEPS.filter(({ text }) => text.includes('apt-get'));

    expect(installs.length).toBeGreaterThan(0);
    for (const { text } of installs)
      expect(text).toMatch(
        /^apt-get update [^]*apt-get install -y --no-install-recommends [^]*rm -rf \/var\/lib\/apt\/lists\/\*$/,
      );
  });

  it('runs as a user that is a number and owns nothing', () => {
    expect(lastOf(IMAGE, 'USER')).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    expect(STEPS.filter(({ flags }) => flags['chown'] !== undefined)).toEqual([]);
  });

  it('hands signals on from a PID 1 that is not Node, and arguments to the server', () => {
    const entry = ['tini', '--', 'node', '/app/dist/runtime/main.js'];

    expect(commandOf(lastOf(IMAGE, 'ENTRYPOINT'))).toEqual(entry);
    expect(lastOf(IMAGE, 'CMD')).toBe('');
  });

  it('exposes the ports that the server opens by itself', () => {
    const ports = ['http-port', 'grpc-port', 'metrics-port'].map(
      (name) => FLAGS.find((flag) => flag.name === name)!.default,
    );

    expect(lastOf(IMAGE, 'EXPOSE').split(' ')).toEqual(ports);
  });

  it('is sent what it is made of and nothing else', () => {
    const files = contextFiles(ROOT);

    expect(files).toEqual(
      expect.arrayContaining(['.npmrc', 'package-lock.json', 'runtime/main.ts', 'LICENSE']),
    );
    expect(files.filter((file) => /node_modules|\.test\.ts$|^\.git|^dist|e2e/.test(file))).toEqual(
      [],
    );
  });
});

describe.skipIf(process.platform !== 'linux')('what it makes (skipped but on Linux)', () => {
  let tree: ImageTree;

  beforeAll(async () => {
    tree = await ImageTree.build(STAGES, ROOT);
    return () => tree.remove();
  }, 600_000);

  it('is a server that has no need to write, is healthy, answers, and ends by SIGTERM with 0', async () => {
    const server = tree.start(['--model-repository=/app/model_repository'], {
      INFERD_GRPC_PORT: '0',
      INFERD_HTTP_PORT: '0',
      INFERD_METRICS_PORT: '0',
    });
    const exited = once(server, 'close');
    let log = '';
    await new Promise<void>((done) => {
      server.once('close', done);
      server.stderr!.on('data', (text: Buffer) => {
        log += text.toString();
        if (log.includes(' is up with ')) done();
      });
    });
    expect(log).toContain(' is up with 6 of 6 model versions');
    const port = (service: string): string =>
      new RegExp(`${service} at [^"]*:(\\d+)`).exec(log)?.[1] ?? log;

    const client = new TestClient(Number(port('GRPCInferenceService')));
    const blank = fp32('pixels', [1, 64], Array<number>(64).fill(0));
    const probabilities = fp32Output(
      await client.infer(inferRequest('digits', [blank])),
      'probabilities',
    );
    client.close();
    const health = await tree.checkHealth({ INFERD_HTTP_PORT: port('HTTPService') });
    const elsewhere = await tree.checkHealth({ INFERD_HTTP_PORT: port('GRPCInferenceService') });
    server.kill('SIGTERM');

    expect(probabilities).toHaveLength(10);
    expect([health, elsewhere]).toEqual([0, 1]);
    expect(await exited).toEqual([0, null]);
  });

  it('has ONNX Runtime for this machine alone, and nothing of development', () => {
    const runtimes = 'app/node_modules/onnxruntime-node/bin/napi-v6';
    const platforms = readdirSync(tree.path(runtimes)).flatMap((platform) =>
      readdirSync(tree.path(`${runtimes}/${platform}`)).map((arch) => `${platform}/${arch}`),
    );

    expect(platforms).toEqual([`linux/${process.arch}`]);
    expect(readdirSync(tree.path('app')).sort()).toEqual(
      ['LICENSE', 'clients', 'dist', 'model_repository', 'node_modules', 'package.json'].sort(),
    );
    expect(existsSync(tree.path('app/node_modules/typescript'))).toBe(false);
  });

  it('stays below 120 MB', () => {
    const bytes = readdirSync(tree.path('app'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

    expect(bytes).toBeLessThan(120e6);
  });
});
