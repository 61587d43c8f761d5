// An ensemble with a decoupled step, asked by a caller who reads as he likes: the model in TypeScript makes no more answers than fit on
// the way to him, and the server holds no more of the twenty thousandth than of the first.

import { Client, Metadata, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { aMessage } from '../testing/ask-model.js';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { loadProto } from './replay/message-json.js';
import { fp32, inferRequest } from './harness/requests.js';
import { scriptFile } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';

const PATH = '/inference.GRPCInferenceService/ModelStreamInfer';
const RESPONSE = loadProto().lookupType('inference.ModelStreamInferResponse');
const HEAP_ON_SIGNAL = new URL('fixtures/heap-on-signal.mjs', import.meta.url).href;
const MIB = 2 ** 20;

const ANSWERS = 30_000;
/** One kilobyte each. */
const WIDTH = 256;
/** A mebibyte that waits for the caller, what HTTP/2 holds, and those in the ensemble. */
const MOST_AHEAD = 2_500;

const COUNTS = `
  import { defineModel, tensor } from 'inferd';
  export default defineModel({
    async *stream(request, { metrics }) {
      const [count] = request.input('x', 'FP32').data;
      const made = metrics.counter('made');
      try {
        for (let i = 0; i < count!; i++) {
          made.add();
          yield { outputs: { y: tensor('FP32', [1, ${WIDTH}], new Float32Array(${WIDTH}).fill(i)) } };
        }
      } finally {
        metrics.counter('ended').add();
      }
    },
  });`;

/** Takes twenty milliseconds for each. */
const SLOW = `
  import { setTimeout } from 'node:timers/promises';
  import { defineModel } from 'inferd';
  export default defineModel({
    async execute(requests) {
      await setTimeout(20 * requests.length);
      return requests.map((request) => ({ outputs: { y: request.input('x', 'FP32') } }));
    },
  });`;

function aRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  const value = (name: string) => ({ name, type: ONNX_TYPE.FLOAT, shape: ['batch', WIDTH] });
  const negated = { op: 'Neg', inputs: ['x'], outputs: ['y'] };
  const negates = { inputs: [value('x')], outputs: [value('y')], nodes: [negated] };
  repository.model('neg', negates, 'max_batch_size: 8');
  const tensor = (name: string, size: number): string =>
    `[ { name: "${name}" data_type: TYPE_FP32 dims: [ ${size} ] } ]`;
  const decoupled = 'max_batch_size: 8 model_transaction_policy { decoupled: true }';
  scriptFile(repository, 'counts', {
    code: COUNTS,
    config: `${decoupled} input ${tensor('x', 1)} output ${tensor('y', WIDTH)}`,
  });
  const step = (model: string, from: string, to: string): string =>
    `{ model_name: "${model}" input_map { key: "x" value: "${from}" } output_map { key: "y" value: "${to}" } }`;
  scriptFile(repository, 'slow', {
    code: SLOW,
    config: `max_batch_size: 8 input ${tensor('x', WIDTH)} output ${tensor('y', WIDTH)}`,
  });
  const each = (name: string, behind: string): void => {
    repository.write(
      `${name}/config.pbtxt`,
      `platform: "ensemble" ${decoupled} input ${tensor('I', 1)} output ${tensor('O', WIDTH)}
     ensemble_scheduling {
       max_inflight_requests: 2
       step [ ${step('counts', 'I', 't')}, ${step(behind, 't', 'O')} ]
     }`,
    );
    repository.write(`${name}/1/.keep`, '');
  };
  each('each', 'neg');
  each('each_slowly', 'slow');
  return repository;
}

describe('an ensemble with a decoupled step whose caller reads slowly', () => {
  const here = serving(aRepository(), [], { NODE_OPTIONS: `--import=${HEAP_ON_SIGNAL}` });

  const figure = async (metric: string): Promise<number> =>
    (await scrape(here.server)).get(`${metric}{model="counts",version="1"}`) ?? 0;

  /** When it has begun and does not grow any more; models tell theirs every second. */
  async function settled(metric: string): Promise<number> {
    let last = NaN;
    await vi.waitFor(
      async () => {
        const before = last;
        last = await figure(metric);
        expect(last).toBe(before);
      },
      { timeout: 60_000, interval: 2_500 },
    );
    return last;
  }

  /** Once all garbage has been collected. */
  async function memory(): Promise<{ kept: number; rss: number }> {
    here.server.log.splice(0);
    here.server.signal('SIGUSR2');
    const line = await here.server.logged(/^memory$/);
    return { kept: Number(line['kept']), rss: Number(line['rss']) };
  }

  it('is held to what he reads, holds nothing of what he has read, and gives him all in order', async () => {
    const caller = new SlowCaller(here.server.ports.grpc!);
    caller.ask('each', ANSWERS);

    await caller.read(2_000);
    const first = await settled('made');
    const before = await memory();
    expect(first - caller.numbers.length).toBeLessThan(MOST_AHEAD);
    await caller.read(25_000);
    const second = await settled('made');
    const after = await memory();
    expect(second).toBeGreaterThanOrEqual(25_000);
    expect(second - caller.numbers.length).toBeLessThan(MOST_AHEAD);
    expect(after.kept - before.kept).toBeLessThan(MIB);
    expect(after.rss - before.rss).toBeLessThan(128 * MIB);
    await caller.readAll();

    expect(caller.numbers).toHaveLength(ANSWERS);
    expect(caller.numbers.every((number, at) => number + at === 0)).toBe(true);
    caller.close();
  }, 240_000);

  it('is held to what the step behind it does, however fast he reads', async () => {
    const before = await settled('made');
    const caller = new SlowCaller(here.server.ports.grpc!);
    caller.ask('each_slowly', ANSWERS);

    await caller.read(150);

    // Two at work, sixteen that wait, sixteen on their way; what was counted last is a second old.
    expect((await figure('made')) - before - caller.numbers.length).toBeLessThan(40);
    expect(caller.numbers).toEqual(Array.from({ length: caller.numbers.length }, (_, at) => at));
    caller.close();
  }, 60_000);

  it('is let go when he leaves without having read', async () => {
    const before = await settled('ended');
    const caller = new SlowCaller(here.server.ports.grpc!);
    caller.ask('each', ANSWERS);
    await caller.read(1);
    await settled('made');

    caller.close();

    await vi.waitFor(async () => expect(await figure('ended')).toBe(before + 1), 20_000);
  }, 120_000);
});

/** Takes answers only while he is told to. */
class SlowCaller {
  /** What has been read: the first number of each. */
  readonly numbers: number[] = [];
  readonly #channel: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #ended: Promise<void>;
  #wanted = 0;
  #enough: () => void = () => undefined;

  constructor(port: number) {
    this.#channel = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const same = (message: Buffer): Buffer => message;
    this.#call = this.#channel.makeBidiStreamRequest(PATH, same, same, new Metadata());
    this.#ended = new Promise((resolve) => this.#call.on('end', resolve));
    this.#call.on('error', () => undefined);
    this.#call.on('data', (message: Buffer) => this.#take(message));
  }

  ask(model: string, answers: number): void {
    const { inputs, raw_input_contents } = inferRequest(model, [fp32('I', [1, 1], [answers])]);
    this.#call.write(aMessage({ id: 'a', model_name: model, inputs, raw_input_contents }));
    this.#call.end();
  }

  /** Until there are so many. */
  async read(count: number): Promise<void> {
    this.#wanted = count;
    this.#call.resume();
    await new Promise<void>((resolve) => (this.#enough = resolve));
  }

  async readAll(): Promise<void> {
    this.#wanted = Infinity;
    this.#call.resume();
    await this.#ended;
  }

  close(): void {
    this.#call.cancel();
    this.#channel.close();
  }

  #take(message: Buffer): void {
    const { infer_response: response } = RESPONSE.decode(message) as unknown as {
      infer_response: { raw_output_contents: readonly Uint8Array[] };
    };
    const [data] = response.raw_output_contents;
    this.numbers.push(new DataView(data!.buffer, data!.byteOffset).getFloat32(0, true));
    if (this.numbers.length < this.#wanted) return;
    this.#call.pause();
    this.#enough();
  }
}
