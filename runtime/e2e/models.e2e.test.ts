// Models as their users meet them: the samples, weights in files of their own, BF16, rows that fail, loading under traffic.

import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../testing/build.js';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import {
  fp32,
  fp32Output,
  inferRequest,
  rawOutput,
  textOutput,
  type RawTensor,
} from './harness/requests.js';
import {
  GOLDEN_MODELS,
  SAMPLE_MODELS,
  TemporaryRepository,
} from './harness/temporary-repository.js';
import { serving } from './harness/serving.js';
import { executions, type Message } from './harness/test-client.js';

describe('the sample repository', () => {
  const here = serving(SAMPLE_MODELS);

  const texts = (...messages: string[]): RawTensor => ({
    name: 'text',
    datatype: 'BYTES',
    shape: [messages.length, 1],
    raw: Buffer.from(lengthPrefixed(messages)),
  });

  it.each([
    ['spam_light', '1'],
    ['spam_light', '2'],
    ['spam_heavy', '1'],
  ])('tells spam from ham: %s, version %s', async (model, version) => {
    const messages = texts('free entry, text WIN to 80082', 'are you home yet?', '', '🎉 Straße');
    const answer = await here.client.infer(
      inferRequest(model, [messages], { model_version: version }),
    );

    const [spam, ham, ...rest] = fp32Output(answer, 'spam_probability');
    expect(spam).toBeGreaterThan(0.5);
    expect(ham).toBeLessThan(0.5);
    expect(rest.every((probability) => probability >= 0 && probability <= 1)).toBe(true);
  });

  it('serves both versions of spam_light, and the latest to who names none', async () => {
    const ask = async (version: string): Promise<number[]> =>
      fp32Output(
        await here.client.infer(
          inferRequest('spam_light', [texts('call me')], { model_version: version }),
        ),
        'spam_probability',
      );

    const [first, second, latest] = [await ask('1'), await ask('2'), await ask('')];

    expect(latest).toEqual(second);
    expect(first).not.toEqual(second);
  });

  it('has in spam_heavy what can stand in for spam_light', async () => {
    const interfaceOf = async (name: string): Promise<Message[]> => {
      const metadata = await here.client.call('ModelMetadata', { name });
      return [metadata['inputs'], metadata['outputs']].flat() as Message[];
    };

    expect(await interfaceOf('spam_heavy')).toEqual(await interfaceOf('spam_light'));
  });

  it('reads the same beginning of a long message', async () => {
    const beginning = 'are you home yet? '.repeat(60);
    for (const model of ['spam_light', 'spam_heavy']) {
      const [one, other] = fp32Output(
        await here.client.infer(
          inferRequest(model, [texts(beginning, `${beginning}free entry, text WIN to 80082`)]),
        ),
        'spam_probability',
      );
      expect(other).toBe(one);
    }
  });

  it('names the digit, with labels that no configuration mentions', async () => {
    // A one: a stroke from top to bottom.
    const one = Array.from({ length: 64 }, (_, i) => (i % 8 === 3 || i % 8 === 4 ? 16 : 0));
    const outputs = [{ name: 'probabilities', parameters: { classification: { int64_param: 2 } } }];

    const answer = await here.client.infer(
      inferRequest('digits', [fp32('pixels', [1, 64], one)], { outputs }),
    );

    const [best, second] = textOutput(answer, 'probabilities').map((text) => text.split(':'));
    expect(best?.slice(1)).toEqual(['1', 'one']);
    expect(Number(best?.[0])).toBeGreaterThan(Number(second?.[0]));
  });

  it('shows the traffic as metrics', async () => {
    const metrics = await scrape(here.server);

    expect(metrics.get('nv_inference_request_success{model="digits",version="1"}')).toBe(1);
    expect(metrics.get('nv_inference_count{model="spam_light",version="1"}')).toBe(5);
  });
});

describe('models of all sorts', () => {
  const repository = new TemporaryRepository();
  const weights = Float32Array.from([1, 2, 3, 4]);
  const data = { file: 'model.onnx_data', length: weights.byteLength };
  for (const [name, type] of [
    ['external', ONNX_TYPE.FLOAT],
    ['external_bf16', ONNX_TYPE.BFLOAT16],
  ] as const) {
    repository.model(name, {
      inputs: [{ name: 'X', type, shape: ['n', 4] }],
      outputs: [{ name: 'Y', type, shape: ['n', 4] }],
      initializers: [{ name: 'W', type: ONNX_TYPE.FLOAT, shape: [4], data }],
      nodes: [
        { op: 'Cast', inputs: ['X'], outputs: ['x'], ints: { to: ONNX_TYPE.FLOAT } },
        { op: 'Mul', inputs: ['x', 'W'], outputs: ['y'] },
        { op: 'Cast', inputs: ['y'], outputs: ['Y'], ints: { to: type } },
      ],
    });
    repository.write(`${name}/1/model.onnx_data`, new Uint8Array(weights.buffer));
  }
  const merged = 'max_batch_size: 4 dynamic_batching { max_queue_delay_microseconds: 60000000 }';
  repository.copy(join(GOLDEN_MODELS, 'repo_basic/gather'), 'gather', merged);
  repository.copy(
    join(GOLDEN_MODELS, 'repo_basic/add_sub'),
    'on_gpu',
    'instance_group [ { kind: KIND_GPU } ]',
  );
  const here = serving(repository, ['--exit-on-error=false']);

  it('finds weights that lie beside the model', async () => {
    const answer = await here.client.infer(
      inferRequest('external', [fp32('X', [2, 4], [1, 1, 1, 1, 10, 10, 10, 10])]),
    );

    expect(fp32Output(answer, 'Y')).toEqual([1, 2, 3, 4, 10, 20, 30, 40]);
  });

  it('takes and gives BF16, also with weights beside the model', async () => {
    // BF16 is the upper half of FP32: 1.5, -2, 256, 2^-126 (the smallest normal number).
    const raw = Buffer.from(Uint16Array.from([0x3fc0, 0xc000, 0x4380, 0x0080]).buffer);

    const answer = await here.client.infer(
      inferRequest('external_bf16', [{ name: 'X', datatype: 'BF16', shape: [1, 4], raw }]),
    );

    // 1.5 × 1, -2 × 2, 256 × 3, 2^-126 × 4.
    const wanted = Uint16Array.from([0x3fc0, 0xc080, 0x4440, 0x0180]);
    expect(rawOutput(answer, 'Y')).toEqual(Buffer.from(wanted.buffer));
    expect((answer['outputs'] as Message[])[0]).toMatchObject({ datatype: 'BF16', shape: [1, 4] });
  });

  it('answers the good rows of a batch in which one fails', async () => {
    const ask = (index: number): Promise<Message> => {
      const raw = Buffer.from(BigInt64Array.from([BigInt(index)]).buffer);
      return here.client.infer(
        inferRequest('gather', [{ name: 'I', datatype: 'INT64', shape: [1, 1], raw }]),
      );
    };

    const [first, bad, second, third] = await Promise.allSettled([
      ask(0),
      ask(999),
      ask(1),
      ask(0),
    ]);

    expect(bad).toMatchObject({
      status: 'rejected',
      reason: {
        code: status.INTERNAL,
        details: expect.stringMatching(/^onnx runtime error: /) as string,
      },
    });
    const [a, b, c] = [first, second, third].map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason as Error;
      return fp32Output(outcome.value, 'Y');
    });
    expect(a).toEqual(c);
    expect(a).not.toEqual(b);
    expect(await executions(here.client, 'gather')).toEqual([[1, 3]]);
  });

  it('says why a model is not there', async () => {
    const { models } = await here.client.call('RepositoryIndex');
    const reasons = new Map(
      (models as Message[]).map(({ name, reason }) => [name, String(reason)]),
    );

    expect(reasons.get('external')).toBe('');
    expect(reasons.get('on_gpu')).toMatch(/GPU/);
    await expect(here.client.infer(inferRequest('on_gpu', []))).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: "Request for unknown model: 'on_gpu' has no available versions",
    });
  });
});

describe('loading under traffic', () => {
  const repository = new TemporaryRepository();
  const add = (versions: readonly number[]): void => {
    for (const version of versions)
      repository.copy(join(GOLDEN_MODELS, `parts/version_x${version}0`), `scale/${version}`);
  };

  add([1]);
  repository.copy(join(GOLDEN_MODELS, 'repo_basic/id_fp32'), 'id_fp32');
  const flags = ['--model-control-mode=explicit', '--load-model=id_fp32', '--load-model=scale'];
  const here = serving(repository, flags);

  it('serves the new version when it is there, and never an unclear answer meanwhile', async () => {
    const { inputs, outputs } = await here.client.call('ModelMetadata', { name: 'scale' });
    const input = String((inputs as Message[])[0]!['name']);
    const output = String((outputs as Message[])[0]!['name']);
    const width = Math.max(1, (inputs as { shape: number[] }[])[0]!.shape.at(-1)!);
    const scale = inferRequest('scale', [
      fp32(input, [1, width], Array(width).fill(1) as number[]),
    ]);
    const steady = inferRequest('id_fp32', [fp32('INPUT0', [1, 1], [7])]);
    const seen = new Set<string>();
    let isOver = false;
    const traffic = async (): Promise<void> => {
      while (!isOver) {
        expect(fp32Output(await here.client.infer(steady), 'OUTPUT0')).toEqual([7]);
        const answer = await here.client.infer(scale).then(
          (message) => `x${fp32Output(message, output)[0]}`,
          (error: unknown) => String(error),
        );
        seen.add(answer);
      }
    };
    const clients = [traffic(), traffic(), traffic(), traffic()];

    add([2]);
    await here.client.call('RepositoryModelLoad', { model_name: 'scale' });
    const after = fp32Output(await here.client.infer(scale), output);
    for (let round = 0; round < 5; round++) {
      await here.client.call('RepositoryModelUnload', { model_name: 'scale' });
      await here.client.call('RepositoryModelLoad', { model_name: 'scale' });
    }
    isOver = true;
    await Promise.all(clients);

    expect(after[0]).toBe(20);
    const refusals = [...seen].filter((answer) => !answer.startsWith('x'));
    expect([...seen].filter((answer) => answer.startsWith('x')).sort()).toEqual(['x10', 'x20']);
    for (const refusal of refusals)
      expect(refusal).toMatch(/NOT_FOUND: Request for unknown model: 'scale'/);
  });
});
