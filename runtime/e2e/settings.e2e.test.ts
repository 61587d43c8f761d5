// LogSettings and TraceSetting on a server that serves: what it writes and what it sends from then on.

import { describe, expect, it } from 'vitest';
import { OtlpReceiver } from './harness/otlp-receiver.js';
import { fp32, inferRequest } from './harness/requests.js';
import { SAMPLE_MODELS } from './harness/temporary-repository.js';
import { serving } from './harness/serving.js';
import { TestClient, type Message } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const SERVER_SPAN = 'inference.GRPCInferenceService/ModelInfer';

function aRequest(id: string): Message {
  const pixels = Array.from({ length: 64 }, (_, i) => i % 17);
  return inferRequest('digits', [fp32('pixels', [1, 64], pixels)], { id });
}

describe('log settings that change', () => {
  const here = serving(SAMPLE_MODELS, ['--log-requests=1']);

  const change = (settings: Message): Promise<Message> =>
    here.client.call('LogSettings', { settings });

  it('leave out lines, and bring them back', async () => {
    await change({ log_info: { bool_param: false } });
    await here.client.infer(aRequest('unseen'));
    await change({ log_info: { bool_param: true } });
    await here.client.infer(aRequest('seen'));
    await here.server.logged(/^request$/);

    expect(here.server.log.filter(({ msg }) => msg === 'request').map(({ id }) => id)).toEqual([
      'seen',
    ]);
  });

  it('change how lines look', async () => {
    await change({ log_format: { string_param: 'ISO8601' } });
    await here.client.infer(aRequest('plain'));
    await change({ log_format: { string_param: 'json' } });
    await here.client.infer(aRequest('as JSON'));
    while (!here.server.log.some(({ id }) => id === 'as JSON'))
      await here.client.call('ServerLive');

    const plain = here.server.output.filter((line) => line.includes('plain'));
    expect(plain).toEqual([
      expect.stringMatching(/^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] .*digits 1: request/),
    ]);
  });
});

describe('the metadata of a server', () => {
  const here = serving(SAMPLE_MODELS, []);

  it('lists the settings among the extensions, and their calls answer', async () => {
    const { extensions } = await here.client.call('ServerMetadata');

    expect(extensions).toEqual(expect.arrayContaining(['trace', 'logging']));
    expect(extensions).not.toContain('cuda_shared_memory');
    expect(await here.client.call('TraceSetting')).toHaveProperty('settings.trace_level');
    expect(await here.client.call('LogSettings')).toHaveProperty('settings.log_info');
  });
});

describe('trace settings that change', () => {
  /** The ids of the requests that were traced, by the order in which they came. */
  async function traced(
    ask: (client: TestClient) => Promise<void>,
    env: Record<string, string> = {},
    flags: readonly string[] = [],
  ): Promise<unknown[]> {
    const receiver = await OtlpReceiver.start();
    const server = await TestServer.start({
      repository: SAMPLE_MODELS,
      flags,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env },
    });
    const client = new TestClient(server.ports.grpc);
    try {
      await ask(client);
    } finally {
      client.close();
      expect(await server.stop()).toBe(0);
      await receiver.stop();
    }
    return receiver.named(SERVER_SPAN).map(({ attributes }) => attributes['inferd.request.id']);
  }

  const change = (client: TestClient, settings: Message, model = ''): Promise<Message> =>
    client.call('TraceSetting', {
      model_name: model,
      settings: Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [key, { value: value as string[] }]),
      ),
    });

  async function inferAll(client: TestClient, ids: string): Promise<void> {
    for (const id of ids) await client.infer(aRequest(id));
  }

  it('trace every Nth request, then some more, then none', async () => {
    const ids = await traced(async (client) => {
      await inferAll(client, 'a');
      await change(client, { trace_rate: ['3'] });
      await inferAll(client, 'bcdefg');
      await change(client, { trace_rate: ['1'], trace_count: ['2'] });
      await inferAll(client, 'hij');
      await change(client, { trace_count: [], trace_level: ['OFF'] });
      await inferAll(client, 'k');
      await change(client, { trace_level: ['TIMESTAMPS'] });
      await inferAll(client, 'l');
    });

    expect(ids).toEqual(['a', 'd', 'g', 'h', 'i', 'l']);
  });

  it('begin with what the flags say, and go back to it', async () => {
    const ask = async (client: TestClient): Promise<void> => {
      await inferAll(client, 'abcd');
      await change(client, { trace_rate: ['1'] });
      await inferAll(client, 'ef');
      await change(client, { trace_rate: [] });
      await inferAll(client, 'gh');
    };
    const ids = await traced(ask, {}, ['--trace-config=rate=2', '--trace-config=count=5']);

    expect(ids).toEqual(['b', 'd', 'e', 'f', 'h']);
  });

  it('hold for one model where it is named, before the sampler of the environment', async () => {
    const off = { OTEL_TRACES_SAMPLER: 'parentbased_always_off' };
    const ids = await traced(async (client) => {
      await inferAll(client, 'a');
      await change(client, { trace_rate: ['1'] }, 'spam_light');
      await inferAll(client, 'b');
      const answer = await change(client, { trace_rate: ['1'] }, 'digits');
      expect(answer['settings']).toMatchObject({ trace_rate: { value: ['1'] } });
      await inferAll(client, 'c');
      await change(client, { trace_rate: [] }, 'digits');
      await inferAll(client, 'd');
    }, off);

    expect(ids).toEqual(['c']);
  });

  it('leave the choice to callers that are traced, at any rate, but not when they are off', async () => {
    const context = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
    const asked = async (client: TestClient, id: string, flag: string): Promise<void> => {
      const metadata = { traceparent: `00-${context}-${flag}` };
      await client.infer(aRequest(id), { metadata });
    };
    const ids = await traced(async (client) => {
      await change(client, { trace_rate: ['1000'] });
      await asked(client, 'sampled', '01');
      await asked(client, 'unsampled', '00');
      await change(client, { trace_level: ['OFF'] });
      await asked(client, 'off', '01');
    });

    expect(ids).toEqual(['sampled']);
  });
});
