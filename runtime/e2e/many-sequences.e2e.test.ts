// Ten thousand sequences at once: every state is right, and nothing of them is left in memory when they have ended.

import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import { afterAll, describe, expect, it } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('fixtures/many-sequences.mjs', import.meta.url));
const HEAP_ON_SIGNAL = new URL('fixtures/heap-on-signal.mjs', import.meta.url).href;
const PROTO = fileURLToPath(new URL('../../proto/grpc_service.proto', import.meta.url));

const SEQUENCES = 10_000;
const STEPS = 20;
const STREAMS = 10;
const MIB = 2 ** 20;

describe('ten thousand sequences of twenty steps', () => {
  const repository = new TemporaryRepository();
  const value = { type: ONNX_TYPE.FLOAT, shape: ['n', 1] };
  repository.model(
    'adder',
    {
      inputs: [
        { ...value, name: 'x' },
        { ...value, name: 'before' },
      ],
      outputs: [
        { ...value, name: 'sum' },
        { ...value, name: 'after' },
      ],
      nodes: [
        { op: 'Add', inputs: ['before', 'x'], outputs: ['sum'] },
        { op: 'Identity', inputs: ['sum'], outputs: ['after'] },
      ],
    },
    `max_batch_size: 256 instance_group [ { count: 1 kind: KIND_CPU } ]
     sequence_batching {
       max_sequence_idle_microseconds: 60000000
       oldest { max_candidate_sequences: ${SEQUENCES} }
       state [ { input_name: "before" output_name: "after" data_type: TYPE_FP32 dims: [ 1 ] } ]
     }`,
  );
  const here = serving(repository, [], { NODE_OPTIONS: `--import=${HEAP_ON_SIGNAL}` });
  const messages = join(tmpdir(), `inferd-sequences-${process.pid}`);
  writeFileSync(messages, requests());
  afterAll(() => rmSync(messages));

  it('have the right states, and leave the memory as it was', async () => {
    const outcomes = [await runAll()];
    const before = await memory();
    outcomes.push(await runAll());
    const after = await memory();

    const right = { answers: SEQUENCES * STEPS, wrong: 0, errors: {} };
    expect(outcomes).toEqual([right, right]);
    expect(await counted()).toEqual({
      inferences: 2 * SEQUENCES * STEPS,
      waiting: 0,
      live: [0, 0],
    });
    expect(after.kept - before.kept).toBeLessThan(MIB);
    expect(after.rss - before.rss).toBeLessThan(128 * MIB);
  }, 300_000);

  async function runAll(): Promise<unknown> {
    const args = [CLIENT, here.server.ports.grpc, STREAMS, STEPS, messages].map(String);
    return JSON.parse((await run(process.execPath, args)).stdout);
  }

  /** Once all garbage has been collected. */
  async function memory(): Promise<{ readonly kept: number; readonly rss: number }> {
    const { server } = here;
    server.log.splice(0);
    server.signal('SIGUSR2');
    const { kept, rss } = await server.logged(/^memory$/);
    return { kept: Number(kept), rss: Number(rss) };
  }

  async function counted(): Promise<Record<string, unknown>> {
    const values = await scrape(here.server);
    const live = (place: string): number | undefined =>
      values.get(`inferd_sequences{model="adder",place="${place}",version="1"}`);
    return {
      inferences: values.get('nv_inference_count{model="adder",version="1"}'),
      waiting: values.get('nv_inference_pending_request_count{model="adder",version="1"}'),
      live: [live('slot'), live('backlog')],
    };
  }
});

/** As the client reads them. */
function requests(): Buffer {
  const root = new protobuf.Root();
  root.loadSync(PROTO, { keepCase: true });
  const type = root.lookupType('inference.ModelInferRequest');
  const parts: Buffer[] = [];
  for (let id = 1; id <= SEQUENCES; id++)
    for (const flags of [['sequence_start'], [], ['sequence_end']]) {
      const set = Object.fromEntries(flags.map((flag) => [flag, { bool_param: true }]));
      const parameters = { sequence_id: { int64_param: id }, ...set };
      const message = inferRequest('adder', [fp32('x', [1, 1], [0])], { parameters });
      const bytes = Buffer.from(type.encode(type.fromObject(message)).finish());
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      parts.push(length, bytes);
    }
  return Buffer.concat(parts);
}
