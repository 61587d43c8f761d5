// What an operator sees of requests: traces at a receiver, lines in the log, timings in the response, metrics.

import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK, resources } from '@opentelemetry/sdk-node';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { scrape } from './harness/metrics.js';
import { OtlpReceiver } from './harness/otlp-receiver.js';
import { fp32, inferRequest } from './harness/requests.js';
import { serving } from './harness/serving.js';
import { SAMPLE_MODELS } from './harness/temporary-repository.js';
import { TestClient, type Message } from './harness/test-client.js';
import { TestServer, type LogLine } from './harness/test-server.js';

const SERVER_SPAN = 'inference.GRPCInferenceService/ModelInfer';

function aRequest(id: string, overrides: Message = {}): Message {
  const pixels = Array.from({ length: 64 }, (_, i) => i % 17);
  return inferRequest('digits', [fp32('pixels', [1, 64], pixels)], { id, ...overrides });
}

describe('traces', () => {
  /** Runs a server that sends to a receiver, and ends it, so that all has been sent. */
  async function traced(
    ask: (client: TestClient, receiver: OtlpReceiver) => Promise<void>,
    bySetting: (endpoint: string) => { env?: Record<string, string>; flags?: string[] },
  ): Promise<OtlpReceiver> {
    const receiver = await OtlpReceiver.start();
    const server = await TestServer.start({
      repository: SAMPLE_MODELS,
      ...bySetting(receiver.endpoint),
    });
    const client = new TestClient(server.ports.grpc);
    try {
      await ask(client, receiver);
    } finally {
      client.close();
      expect(await server.stop()).toBe(0);
      await receiver.stop();
    }
    return receiver;
  }

  const byEnvironment = (endpoint: string): { env: Record<string, string> } => ({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  });

  it('lead from the span of a client through the queue to the computing', async () => {
    const receiver = await traced(async (client, { endpoint }) => {
      const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
      const sdk = new NodeSDK({
        serviceName: 'shop',
        traceExporter: exporter,
        resourceDetectors: [resources.envDetector],
      });
      sdk.start();
      const span = trace.getTracer('test').startSpan('buy', { kind: SpanKind.CLIENT });
      const metadata: Record<string, string> = {};
      propagation.inject(trace.setSpan(context.active(), span), metadata);
      await client.infer(aRequest('traced'), { metadata });
      span.end();
      await sdk.shutdown();
    }, byEnvironment);

    expect(receiver.spans.flatMap(({ resource }) => Object.keys(resource))).not.toContain(
      'process.command_args',
    );
    const [[buy], [request], [queue], [compute]] = ['buy', SERVER_SPAN, 'queue', 'compute'].map(
      (name) => receiver.named(name),
    ) as [[Span], [Span], [Span], [Span]];
    expect(receiver.spans).toHaveLength(4);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect([request.parentId, queue.parentId, compute.parentId]).toEqual([
      buy.spanId,
      request.spanId,
      request.spanId,
    ]);
    expect([buy.service, request.service]).toEqual(['shop', 'inferd']);
    expect(request.attributes).toMatchObject({
      'rpc.method': 'ModelInfer',
      'rpc.grpc.status_code': 0,
      'inferd.model.name': 'digits',
      'inferd.model.version': '1',
      'inferd.request.id': 'traced',
      'inferd.batch_size': 1,
    });
    const times = [request.from, queue.from, queue.to, compute.from, compute.to, request.to];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Processes agree on the time of day only so far.
    expect(Math.abs(request.from - buy.from)).toBeLessThan(60_000);
  });

  it('are not made for callers who do not want to be traced', async () => {
    const id = '0af7651916cd43dd8448eb211c80319c';
    const receiver = await traced(async (client) => {
      await client.infer(aRequest('no'), {
        metadata: { traceparent: `00-${id}-b7ad6b7169203331-00` },
      });
      await client.infer(aRequest('yes'), {
        metadata: { traceparent: `00-${id}-b7ad6b7169203331-01` },
      });
    }, byEnvironment);

    const requests = receiver.named(SERVER_SPAN);
    expect(requests.map(({ attributes }) => attributes['inferd.request.id'])).toEqual(['yes']);
    expect(requests[0]).toMatchObject({ traceId: id, parentId: 'b7ad6b7169203331' });
  });

  it('tell of failures, and go where the flag says', async () => {
    const receiver = await traced(
      async (client) => {
        const asked = client.infer(aRequest('lost', { model_name: 'nosuch' }));
        await expect(asked).rejects.toMatchObject({ code: status.NOT_FOUND });
      },
      (endpoint) => ({ flags: [`--trace-config=opentelemetry,url=${endpoint}/v1/traces`] }),
    );

    expect(receiver.spans).toMatchObject([
      {
        name: SERVER_SPAN,
        parentId: '',
        // The caller was at fault.
        statusCode: 0,
        attributes: { 'rpc.grpc.status_code': status.NOT_FOUND, 'error.type': 'NOT_FOUND' },
      },
    ]);
  });
});

type Span = OtlpReceiver['spans'][number];

describe('a server with a log of requests', () => {
  const here = serving(SAMPLE_MODELS, ['--log-requests=2']);

  it('writes a line for every second one', async () => {
    for (const id of ['1', '2', '3', '4']) await here.client.infer(aRequest(id));
    const logged = ({ id, msg }: LogLine): boolean => msg === 'request' && id === '4';
    await here.server.loggedLine(logged);

    const lines = here.server.log.filter(({ msg }) => msg === 'request');
    expect(
      lines.map(({ id, model, version, code, batchSize }) => [id, model, version, code, batchSize]),
    ).toEqual(['2', '4'].map((id) => [id, 'digits', '1', 'OK', 1]));
    expect(lines.every(({ ms }) => (ms as number) > 0)).toBe(true);
  });

  it('tells a request its timings, in microseconds', async () => {
    const wanted = { inferd_timings: { bool_param: true } };

    const { parameters } = await here.client.infer(aRequest('timed', { parameters: wanted }));

    const timings = parameters as Record<string, { int64_param: number }>;
    expect(Object.keys(timings).sort()).toEqual(['batch_size', 'compute_us', 'queue_us']);
    expect(timings['batch_size']?.int64_param).toBe(1);
    expect(timings['compute_us']?.int64_param).toBeGreaterThan(0);
    expect(timings['queue_us']?.int64_param).toBeGreaterThanOrEqual(0);
  });

  it('shows in its metrics whether batching works', async () => {
    const before = await scrape(here.server);
    await Promise.all(Array.from({ length: 20 }, (_, i) => here.client.infer(aRequest(String(i)))));
    const after = await scrape(here.server);

    const grown = (name: string, label = ''): number => {
      const key = `${name}{model="digits"${label},version="1"}`;
      return after.get(key)! - before.get(key)!;
    };
    expect(grown('inferd_batch_size_sum')).toBe(20);
    expect(grown('nv_inference_request_duration_histogram_us_count')).toBe(20);
    const closed = ['preferred', 'max', 'delay', 'shape', 'idle'];
    expect(
      closed.reduce(
        (sum, reason) => sum + grown('inferd_batch_closed_total', `,reason="${reason}"`),
        0,
      ),
    ).toBe(grown('nv_inference_exec_count'));
    expect(grown('inferd_instance_busy_seconds_total')).toBeGreaterThan(0);
  });
});
