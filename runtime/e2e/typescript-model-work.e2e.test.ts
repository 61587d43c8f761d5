// What models written in TypeScript are for: sockets and timers, streams of answers, counting, logging, and being changed while
// they serve.

import { readFileSync } from 'node:fs';
import { InferdClient, type StreamAnswer } from 'inferd-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scrape } from './harness/metrics.js';
import { HAS_REDIS, RedisProcess } from './harness/redis-process.js';
import { fp32, fp32Output, inferRequest, textOutput } from './harness/requests.js';
import { ONE_NUMBER, failureOf, scriptFile, scriptModel, texts } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { SAMPLE_MODELS, TemporaryRepository } from './harness/temporary-repository.js';
import { TestServer } from './harness/test-server.js';
import { TestClient } from './harness/test-client.js';

function one(x: number): ReturnType<typeof fp32> {
  return fp32('x', [1, 1], [x]);
}

describe('a decoupled model', () => {
  const repository = new TemporaryRepository();
  scriptFile(repository, 'counts', {
    code: `
      import { setTimeout } from 'node:timers/promises';
      import { defineModel, tensor } from 'inferd';
      export default defineModel({
        async *stream(request) {
          const { data } = request.input('x', 'FP32');
          for (let i = 0; i < data[0]!; i++) {
            await setTimeout(1);
            yield { outputs: { y: tensor('FP32', [1, 1], [i]) } };
          }
          if (data[0]! < 0) throw new Error('below zero');
        },
      });`,
    config: `max_batch_size: 8 model_transaction_policy { decoupled: true } ${ONE_NUMBER}`,
  });
  scriptFile(repository, 'endless', {
    code: `
      import { setTimeout } from 'node:timers/promises';
      import { defineModel, tensor } from 'inferd';
      export default defineModel({
        async *stream(_request, { metrics }) {
          try {
            for (;;) {
              yield { outputs: { y: tensor('FP32', [1, 1], [1]) } };
              await setTimeout(1);
            }
          } finally {
            metrics.counter('streams_ended').add();
          }
        },
      });`,
    config: `max_batch_size: 8 model_transaction_policy { decoupled: true } ${ONE_NUMBER}`,
  });
  const here = serving(repository);
  let client: InferdClient;
  beforeAll(() => {
    client = new InferdClient({ addresses: [`127.0.0.1:${here.server.ports.grpc!}`] });
  });
  afterAll(() => client.close());

  async function answersTo(...numbers: readonly number[]): Promise<string[]> {
    const stream = await client.stream();
    for (const [index, x] of numbers.entries())
      await stream.send('counts', { x: X(x) }, { id: String(index) });
    stream.end();
    const told: string[] = [];
    for await (const answer of stream) told.push(textOf(answer));
    return told;
  }

  it('answers each request as often as it likes, several at once', async () => {
    const told = await answersTo(3, 0, 2);

    expect(told.filter((text) => text.startsWith('0:'))).toEqual(['0:0', '0:1', '0:2']);
    expect(told.filter((text) => text.startsWith('2:'))).toEqual(['2:0', '2:1']);
    expect(told).toHaveLength(5);
  });

  it('tells of what it throws after its answers', async () => {
    expect(await answersTo(-1)).toEqual(["0:model 'counts': Error: below zero (model.ts:11:35)"]);
  });

  it('is stopped when its caller goes', async () => {
    const stream = await client.stream();
    await stream.send('endless', { x: X(1) });
    for await (const answer of stream) if (answer.result) break;

    const ended = 'streams_ended{model="endless",version="1"}';
    await vi.waitFor(async () => expect((await scrape(here.server)).get(ended)).toBe(1), 10_000);
  });

  it('cannot be asked by a call that has one answer', async () => {
    expect(await failureOf(here.client.infer(inferRequest('counts', [one(1)])))).toMatch(
      /^12: .*decoupled/,
    );
  });
});

function X(value: number): { datatype: 'FP32'; shape: number[]; data: Float32Array } {
  return { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(value) };
}

function textOf({ id, error, result }: StreamAnswer): string {
  return `${id}:${error?.details ?? String(result?.outputs['y']?.data[0])}`;
}

describe('what a model counts and logs', () => {
  const repository = new TemporaryRepository();
  scriptModel(repository, 'counting', {
    body: `
      const seen = context.metrics.counter('requests_seen', 'Requests it has seen');
      const sizes = context.metrics.histogram('x_size', [1, 10]);
      for (const request of requests) {
        seen.add();
        sizes.observe(request.input('x', 'FP32').data[0]!);
      }
      context.metrics.gauge('last_x').set(requests[0]!.input('x', 'FP32').data[0]!);
      context.log.info('asked', { requests: requests.length });
      console.warn('on the console: %d', requests.length);
      return requests.map(() => y(Number(context.parameters['answer'])));`,
    config: `max_batch_size: 8 parameters { key: "answer" value { string_value: "42" } }`,
  });
  const here = serving(repository);

  it('is shown at /metrics and in the log', async () => {
    for (const x of [1, 5, 50])
      expect(fp32Output(await here.client.infer(inferRequest('counting', [one(x)])), 'y')).toEqual([
        42,
      ]);

    const all = await scrape(here.server);
    const labels = 'model="counting",version="1"';
    expect(all.get(`requests_seen{${labels}}`)).toBe(3);
    expect(all.get(`last_x{${labels}}`)).toBe(50);
    expect(all.get(`x_size_bucket{model="counting",le="10",version="1"}`)).toBe(2);
    expect(all.get(`x_size_sum{${labels}}`)).toBe(56);
    expect(await here.server.logged(/^asked$/)).toMatchObject({ model: 'counting', requests: 1 });
    expect(await here.server.logged(/^on the console: 1$/)).toMatchObject({ level: 40 });
  });
});

describe.skipIf(!HAS_REDIS)('a model with a socket (needs /usr/bin/redis-server)', () => {
  let redis: RedisProcess;
  let server: TestServer;
  let client: TestClient;
  const repository = new TemporaryRepository();

  beforeAll(async () => {
    redis = await RedisProcess.start();
    scriptFile(repository, 'lookup', {
      code: `
        import { Redis } from 'ioredis';
        import { defineModel, tensor } from 'inferd';
        let redis: Redis;
        let beats = 0;
        let timer: NodeJS.Timeout;
        export default defineModel({
          async initialize({ parameters }) {
            redis = new Redis(Number(parameters['port']), '127.0.0.1');
            timer = setInterval(() => void redis.set('beats', ++beats), 5);
            await redis.set('key:a', 'one');
          },
          async execute(requests) {
            return Promise.all(requests.map(async (request) => {
              const keys = request.texts('key').map((key) => 'key:' + key);
              const values = await redis.mget(keys);
              const found = values.map((value) => value ?? 'none');
              return { outputs: { value: tensor('BYTES', [request.rows, 1], found) } };
            }));
          },
          async finalize() {
            clearInterval(timer);
            await redis.set('finalized', 'yes');
            redis.disconnect();
          },
        });`,
      config: `
        max_batch_size: 8 dynamic_batching { }
        parameters { key: "port" value { string_value: "${redis.port}" } }
        input [ { name: "key" data_type: TYPE_STRING dims: [ 1 ] } ]
        output [ { name: "value" data_type: TYPE_STRING dims: [ 1 ] } ]`,
    });
    server = await TestServer.start({
      repository: repository.path,
      flags: ['--model-control-mode=explicit', '--load-model=lookup'],
    });
    client = new TestClient(server.ports.grpc);
  });

  afterAll(async () => {
    client.close();
    await server.stop();
    await redis.end();
    repository.remove();
  });

  const ask = async (...keys: readonly string[]): Promise<string[]> =>
    textOutput(
      await client.infer(inferRequest('lookup', [texts('key', [keys.length, 1], keys)])),
      'value',
    );

  it('looks things up, while its timers run', async () => {
    expect(await ask('a', 'b')).toEqual(['one', 'none']);
    // Written by its timer.
    await vi.waitFor(
      async () => expect(await redis.ask('GET', 'beats')).toMatch(/^\d\d+$/),
      10_000,
    );
  });

  it('is told when it is unloaded', async () => {
    await client.call('RepositoryModelUnload', { model_name: 'lookup' });

    await vi.waitFor(async () => expect(await redis.ask('GET', 'finalized')).toBe('yes'), 10_000);
  });
});

describe('a model that changes while it serves', () => {
  const repository = new TemporaryRepository();
  const words = (text: string): void =>
    repository.write('changes/1/lib/value.ts', `export const value: number = ${text};`);
  scriptFile(repository, 'changes', {
    code: `
      import { defineModel, tensor } from 'inferd';
      import { value } from './lib/value.ts';
      const outputs = { y: tensor('FP32', [1, 1], [value]) };
      export default defineModel({ execute: (requests) => requests.map(() => ({ outputs })) });`,
    config: `max_batch_size: 8 ${ONE_NUMBER}`,
  });
  words('1');
  const here = serving(repository, ['--model-control-mode=poll', '--repository-poll-secs=1']);

  const ask = async (): Promise<number> =>
    fp32Output(await here.client.infer(inferRequest('changes', [one(0)])), 'y')[0]!;

  it('is loaded anew when a file beside it changes', async () => {
    expect(await ask()).toBe(1);
    words('2');

    await vi.waitFor(async () => expect(await ask()).toBe(2), 30_000);
  });

  it('goes on as it was when the change is wrong, and says where', async () => {
    words('2 +');
    await here.server.logged(/lib\/value\.ts:1:33: Unexpected ";"/);

    expect(await ask()).toBe(2);
  });
});

describe('the example of docs/typescript-models.md', () => {
  const doc = readFileSync(new URL('../../docs/typescript-models.md', import.meta.url), 'utf8');
  const [code = '', config = ''] = [...doc.matchAll(/```\w*\n([^]*?)```/g)].map(
    (block) => block[1],
  );
  const repository = new TemporaryRepository();
  repository.write('filter/1/model.ts', code);
  repository.write('filter/config.pbtxt', config);
  const here = serving(repository);

  it('does what it says', async () => {
    const messages = ['Claim your prize!', 'See you at eight'];

    const answer = await here.client.infer(
      inferRequest('filter', [texts('text', [2, 1], messages)]),
    );

    expect(fp32Output(answer, 'score')).toEqual([1, 0]);
  });
});

describe('the sample spam_filter', () => {
  const flags = ['--model-control-mode=explicit', '--load-model=*'];
  const here = serving(SAMPLE_MODELS, flags);

  it('decides by rules what they know, and asks spam_light for the rest', async () => {
    const messages = ['OK!', 'You have won! Call 09061234567 now', 'Are we still meeting at five?'];
    const input = texts('text', [3, 1], messages);

    const answer = await here.client.infer(inferRequest('spam_filter', [input]));
    const light = await here.client.infer(inferRequest('spam_light', [input]));

    expect(textOutput(answer, 'rule')).toEqual(['one-word-reply', 'premium-number', '']);
    expect(fp32Output(answer, 'spam_probability')).toEqual([
      0,
      1,
      fp32Output(light, 'spam_probability')[2],
    ]);
  });
});

describe('the code of a load call', () => {
  const flags = ['--model-control-mode=explicit'];
  const here = serving(SAMPLE_MODELS, flags);

  it('is not run', async () => {
    const config = {
      backend: 'typescript',
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [1] }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [1] }],
    };
    const load = here.client.call('RepositoryModelLoad', {
      model_name: 'brought',
      parameters: {
        config: { string_param: JSON.stringify(config) },
        'file:1/model.ts': { bytes_param: Buffer.from('process.kill(process.pid);') },
      },
    });

    expect(await failureOf(load)).toMatch(/code is run from the repository only/);
    expect(here.server.isUp).toBe(true);
  });
});

describe('models that cannot be loaded', () => {
  const CONFIG = `max_batch_size: 8 ${ONE_NUMBER}`;
  const FAULTS: readonly (readonly [name: string, code: string, text: string, config?: string])[] =
    [
      ['syntax', 'export default {\n  a b\n};', 'model.ts:2:5: Expected "}" but found "b"'],
      ['no_default', 'export const x = 1;', 'model.ts has no default export; expected'],
      ['plain', 'export default {};', 'the default export of model.ts is not made by defineModel'],
      [
        'no_execute',
        "import { defineModel } from 'inferd';\nexport default defineModel({});",
        "model.ts cannot be loaded: ModelError: defineModel needs 'execute', or 'stream' for a decoupled model (model.ts:2:16)",
      ],
      [
        'package',
        "import 'no-such-package';",
        "model.ts:1:8: cannot find package 'no-such-package'",
      ],
      ['missing', "import './no.ts';", "model.ts:1:8: there is no file './no.ts'"],
      ['outside', "import '../../x.ts';", "model.ts:1:8: there is no file '../../x.ts'"],
      ['throws', "throw new Error('no');", 'model.ts cannot be loaded: Error: no (model.ts:1:7)'],
      [
        'initialize',
        "import { defineModel } from 'inferd';\nexport default defineModel({ initialize() {\n  null!.x; }, execute: () => [] });",
        'initialize of model.ts failed: TypeError: Cannot read properties of null',
      ],
      ['exits', 'process.exit(1);', "the thread of model 'exits' has ended: its code ended it"],
      ['undeclared', '', "model 'undeclared' must declare its inputs", 'max_batch_size: 8'],
    ];
  const repository = new TemporaryRepository();
  for (const [name, code, , config = CONFIG] of FAULTS)
    scriptFile(repository, name, { code, config });
  const here = serving(repository, ['--exit-on-error=false']);

  it.each(FAULTS)('say why: %s', async (name, _code, text) => {
    const { models } = await here.client.call('RepositoryIndex');
    const found = (models as { name: string; reason: string }[]).find(
      (model) => model.name === name,
    );

    expect(found?.reason).toContain(text);
  });
});

describe('answers that are not what the configuration says', () => {
  const repository = new TemporaryRepository();
  const ANSWERS: readonly (readonly [name: string, body: string, text: string])[] = [
    [
      'none',
      'return [];',
      'execute must return an array of one answer for each of 1 requests, got 0',
    ],
    [
      'nothing',
      'return [{ outputs: {} }];',
      "output 'y' is missing: the configuration says FP32 [1,1]",
    ],
    [
      'shape',
      "return [{ outputs: { y: tensor('FP32', [2], [1, 2]) } }];",
      "output 'y' is FP32 [2], but the configuration says FP32 [1,1]",
    ],
    [
      'type',
      "return [{ outputs: { y: tensor('INT64', [1, 1], [1]) } }];",
      "output 'y' is INT64 [1,1], but the configuration says FP32 [1,1]",
    ],
    [
      'name',
      "return [{ outputs: { z: tensor('FP32', [1, 1], [1]) } }];",
      "output 'z' is not in the configuration, which has 'y'",
    ],
  ];
  for (const [name, body] of ANSWERS) scriptModel(repository, name, { body });
  const here = serving(repository);

  it.each(ANSWERS)('fail the request: %s', async (name, _body, text) => {
    expect(await failureOf(here.client.infer(inferRequest(name, [one(1)])))).toBe(
      `13: model '${name}': ${text}`,
    );
  });
});
