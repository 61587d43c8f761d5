// What an operator sees of pipelines: the tree of `inferd pipelines`, metrics of each part, a span for each leg.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InferdClient } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { scrape } from './harness/metrics.js';
import { OtlpReceiver } from './harness/otlp-receiver.js';
import { fp32, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { TestClient } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const ENSEMBLES = fileURLToPath(new URL('golden/models/repo_ensemble', import.meta.url));
const MAIN = join(fileURLToPath(new URL('../../', import.meta.url)), 'dist/runtime/main.js');

const ask = (client: TestClient, model: string): Promise<unknown> =>
  client.infer(inferRequest(model, [fp32('INPUT0', [1, 2], [1, 2])]));

describe('pipelines of a server that runs', () => {
  const here = serving(ENSEMBLES);

  async function inferd(...args: string[]): Promise<string> {
    const url = `localhost:${here.server.ports.grpc!}`;
    const run = promisify(execFile);
    return (await run(process.execPath, [MAIN, ...args, '--url', url])).stdout;
  }

  it('are drawn with what each part has done', async () => {
    for (let request = 0; request < 3; request++) await ask(here.client, 'nested');

    const lines = (await inferd('pipelines', 'nested')).trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual(['nested version 1', 'ensemble']);
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^├─ step 0 {2}chain {3}3 sent · p50 .+ · p99 .+s$/),
      expect.stringMatching(/^└─ step 1 {2}double {2}3 sent · p50 .+ · p99 .+s$/),
    ]);
    // The parts of a part are counted where they are asked.
    expect(await inferd('pipelines', 'chain')).toMatch(/step 1 {2}inc {5}3 sent/);
  });

  it('are drawn as graphs of who waits for whom', async () => {
    const text = await inferd('pipelines', 'diamond', '--format', 'mermaid');

    const arrows = text.split('\n').filter((line) => line.includes('-->'));
    expect(arrows.map((line) => line.trim())).toEqual([
      'n0 --> n1',
      'n0 --> n2',
      'n1 --> n3',
      'n2 --> n3',
    ]);
  });

  it('are told to programs by inferd-client', async () => {
    const client = new InferdClient({ addresses: [`localhost:${here.server.ports.grpc!}`] });
    try {
      const pipelines = await client.pipelines();
      const breakers = await client.circuitBreakers();

      const names = pipelines.map(({ name }) => name);
      expect(names).toContain('diamond');
      expect(names).toEqual([...names].sort());
      expect(names).not.toContain('double');
      expect(breakers).toEqual([]);
    } finally {
      client.close();
    }
  });

  it('are counted part by part', async () => {
    await ask(here.client, 'failing');

    const values = await scrape(here.server);

    const leg = (outcome: string): number | undefined =>
      values.get(
        `inferd_leg_requests_total{model="failing",part="ensemble/step 0",kind="step",target="gather",outcome="${outcome}",version="1"}`,
      );
    expect([leg('answered'), leg('failed')]).toEqual([1, 0]);
  });
});

describe('the trace of a request to an ensemble', () => {
  it('has a span for each leg, with the queue and the computing of its model below', async () => {
    const receiver = await OtlpReceiver.start();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
    const server = await TestServer.start({ repository: ENSEMBLES, env });
    const client = new TestClient(server.ports.grpc);
    try {
      await ask(client, 'nested');
    } finally {
      client.close();
      await server.stop();
      await receiver.stop();
    }

    const { spans } = receiver;
    const below = (parent: string): string[] =>
      spans
        .filter(({ parentId }) => parentId === parent)
        .sort((a, b) => a.from - b.from)
        .map(({ spanId, name, attributes }) => {
          const model = attributes['inferd.model.name'];
          const title = model === undefined ? name : `${name} ${String(model)}`;
          return `${title}(${below(spanId).join(' ')})`;
        });
    const step0 = 'step 0 double(queue() compute()) step 1 inc(queue() compute())';
    expect(below('')).toEqual([
      `inference.GRPCInferenceService/ModelInfer nested(step 0 chain(${step0}) step 1 double(queue() compute()))`,
    ]);
  });
});
