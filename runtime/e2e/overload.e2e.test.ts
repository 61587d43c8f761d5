// Many more requests than a model can take, all at once.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Settings } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving, type Serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';
import { TestServer } from './harness/test-server.js';

const run = promisify(execFile);
const BURST = fileURLToPath(new URL('fixtures/burst.mjs', import.meta.url));
const PROTO = fileURLToPath(new URL('../../proto/grpc_service.proto', import.meta.url));

const REQUESTS = 100_000;
/** Without a limit on the calls of a connection, two bursts are 1.4 GiB: an open stream of HTTP/2 is some 10 kB in Node. */
const MOST_BYTES = 2 ** 30;
/** One of the bounds of the histogram of queue times. */
const LIMIT_US = 50_000;

const FULL = '14 [request id: <id_unknown>] Exceeds maximum queue size';
const EXPIRED = '14 Request timeout expired';

/** One instance, four requests at a time. */
function repositoryOf(queuePolicy: string): TemporaryRepository {
  const repository = new TemporaryRepository();
  const shape = ['n', 64];
  repository.model(
    'small',
    {
      inputs: [{ name: 'x', type: ONNX_TYPE.FLOAT, shape }],
      outputs: [{ name: 'y', type: ONNX_TYPE.FLOAT, shape }],
      nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'] }],
    },
    `max_batch_size: 4 instance_group [ { count: 1 kind: KIND_CPU } ]
     dynamic_batching { default_queue_policy { ${queuePolicy} } }`,
  );
  return repository;
}

const request = inferRequest('small', [fp32('x', [1, 64], Array<number>(64).fill(0))]);

describe('a model that is asked more than it can take', () => {
  const here = serving(repositoryOf('max_queue_size: 16'));

  it('answers every one of 100,000 at once, over many connections or one, refuses what finds the queue full, and goes on', async () => {
    const bursts = [await burst(here, 20), await burst(here, 1)];
    const of = (status: string): number => bursts.reduce((sum, it) => sum + it[status]!, 0);
    const [served, refused] = [of('0'), of(FULL)];

    for (const counts of bursts) expect(Object.keys(counts)).toHaveLength(2);
    expect(served + refused).toBe(2 * REQUESTS);
    expect(await countedBy(here)).toEqual({ served, refused, waiting: 0 });
    expect(mostResidentBytes(here)).toBeLessThan(MOST_BYTES);
    expect(fp32Output(await here.client.infer(request), 'y')).toHaveLength(64);
  }, 300_000);
});

describe('a model whose queue is longer than its time limit', () => {
  const policy = `max_queue_size: 20000 default_timeout_microseconds: ${LIMIT_US}`;
  // So that all of them are in the queue at once, and most for too long.
  const here = serving(repositoryOf(policy), ['--grpc-max-concurrent-streams=0']);

  it('serves none of 100,000 at once that has waited longer than that', async () => {
    const counts = await burst(here, 20);
    const [served, refused] = [counts['0']!, counts[EXPIRED]! + (counts[FULL] ?? 0)];

    expect(served + refused).toBe(REQUESTS);
    expect(await countedBy(here)).toEqual({ served, refused, waiting: 0 });
    const values = await scrape(here.server);
    const histogram = 'nv_inference_queue_duration_histogram_us';
    expect(values.get(`${histogram}_count{model="small",version="1"}`)).toBe(served);
    expect(values.get(`${histogram}_bucket{model="small",le="${LIMIT_US}",version="1"}`)).toBe(
      served,
    );
    expect(mostResidentBytes(here)).toBeLessThan(2 * MOST_BYTES);
  }, 300_000);
});

describe('the calls of one connection', () => {
  it.each([
    { flags: [], most: 1000 },
    { flags: ['--grpc-max-concurrent-streams=8'], most: 8 },
    { flags: ['--grpc-max-concurrent-streams=0'], most: 2 ** 32 - 1 },
  ])('that are under way at once are $most at most with $flags', async ({ flags, most }) => {
    const repository = repositoryOf('max_queue_size: 16');
    const server = await TestServer.start({ repository: repository.path, flags });

    const session = connect(`http://127.0.0.1:${server.ports.grpc}`);
    const [{ maxConcurrentStreams }] = (await once(session, 'remoteSettings')) as [Settings];
    session.close();
    await server.stop();
    repository.remove();

    expect(maxConcurrentStreams).toBe(most);
  });
});

/** How many of the requests were answered with which status. */
async function burst({ server }: Serving, connections: number): Promise<Record<string, number>> {
  const message = encoded(request).toString('base64');
  const args = [BURST, String(server.ports.grpc), String(REQUESTS), String(connections), message];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as Record<string, number>;
}

async function countedBy({ server }: Serving): Promise<Record<string, number | undefined>> {
  const values = await scrape(server);
  const labels = 'model="small",version="1"';
  return {
    served: values.get(`nv_inference_request_success{${labels}}`),
    refused: values.get(
      'nv_inference_request_failure{model="small",reason="REJECTED",version="1"}',
    ),
    waiting: values.get(`nv_inference_pending_request_count{${labels}}`),
  };
}

/** Of the server's process, since it was started. */
function mostResidentBytes({ server }: Serving): number {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** As it goes over the wire, unframed. */
function encoded(message: object): Buffer {
  const root = new protobuf.Root();
  root.loadSync(PROTO, { keepCase: true });
  const type = root.lookupType('inference.ModelInferRequest');
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}
