// Many more requests than a model can take, all at once.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ONNX_TYPE } from '../testing/onnx-model.js';
import { scrape } from './harness/metrics.js';
import { fp32, fp32Output, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';

const run = promisify(execFile);
const BURST = fileURLToPath(new URL('fixtures/burst.mjs', import.meta.url));
const PROTO = fileURLToPath(new URL('../../proto/grpc_service.proto', import.meta.url));

const REQUESTS = 100_000;
const CONNECTIONS = 20;
const GIB = 2 ** 30;

describe('a model that is asked more than it can take', () => {
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
     dynamic_batching { default_queue_policy { max_queue_size: 16 } }`,
  );
  const here = serving(repository);
  const request = inferRequest('small', [fp32('x', [1, 64], Array<number>(64).fill(0))]);

  it('answers every one of 100,000 at once, refuses what finds the queue full, and goes on', async () => {
    const message = encoded(request).toString('base64');
    const port = String(here.server.ports.grpc);
    const args = [BURST, port, String(REQUESTS), String(CONNECTIONS), message];
    const { stdout } = await run(process.execPath, args);
    const counts = JSON.parse(stdout) as Record<string, number>;
    const served = counts['0']!;
    const refused = counts['14 [request id: <id_unknown>] Exceeds maximum queue size']!;

    expect(Object.keys(counts)).toHaveLength(2);
    expect(served + refused).toBe(REQUESTS);
    expect(await countedByServer()).toEqual({ served, refused, waiting: 0 });
    expect(mostResidentBytes()).toBeLessThan(GIB);
    expect(fp32Output(await here.client.infer(request), 'y')).toHaveLength(64);
  }, 180_000);

  async function countedByServer(): Promise<Record<string, number | undefined>> {
    const values = await scrape(here.server);
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
  function mostResidentBytes(): number {
    const status = readFileSync(`/proc/${here.server.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }
});

/** As it goes over the wire, unframed. */
function encoded(message: object): Buffer {
  const root = new protobuf.Root();
  root.loadSync(PROTO, { keepCase: true });
  const type = root.lookupType('inference.ModelInferRequest');
  return Buffer.from(type.encode(type.fromObject(message)).finish());
}
