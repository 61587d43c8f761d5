import { describe, expect, it } from 'vitest';
import type { RemoteConfig } from '../config/remote-config.js';
import { FakeClock } from '../testing/fake-clock.js';
import { FakeEndpointConnection } from '../testing/fake-endpoint-connection.js';
import { RemoteEndpoints } from './remote-endpoints.js';

const CONFIG: RemoteConfig = {
  endpoints: [{ address: 'a:1', isName: false }],
  modelName: 'm',
  modelVersion: '',
  tls: undefined,
  ejection: { failures: 5, baseMs: 1, maxMs: 1 },
  healthCheck: true,
};

const SERVING = Buffer.of(0x08, 1);
const NOT_SERVING = Buffer.of(0x08, 2);

async function watched(
  config: RemoteConfig = CONFIG,
): Promise<{ opened: RemoteEndpoints; clock: FakeClock; connections: FakeEndpointConnection[] }> {
  const clock = new FakeClock();
  const connections: FakeEndpointConnection[] = [];
  const connect = (address: string): FakeEndpointConnection => {
    const connection = new FakeEndpointConnection(address);
    connections.push(connection);
    return connection;
  };
  return { opened: await RemoteEndpoints.open(config, { clock, connect }), clock, connections };
}

describe('RemoteEndpoints', () => {
  it('connects to nothing by itself', async () => {
    const { connections } = await watched({ ...CONFIG, healthCheck: false });

    expect(connections.map(({ calls, streams, connects }) => [calls, streams, connects])).toEqual([
      [[], [], 0],
    ]);
  });

  it('hears from health services which endpoints should get no requests', async () => {
    const { opened, connections } = await watched();
    const [endpoint] = opened.endpoints.all;
    const { listener, call } = connections[0]!.streams[0]!;

    expect(call.path).toBe('/grpc.health.v1.Health/Watch');
    listener.message(NOT_SERVING);
    expect(endpoint!.state()).toBe('UNHEALTHY');
    listener.message(SERVING);
    expect(endpoint!.state()).toBe('SERVING');
  });

  it('takes one whose answer nobody can read for healthy', async () => {
    const { opened, connections } = await watched();
    const { listener } = connections[0]!.streams[0]!;

    listener.message(NOT_SERVING);
    listener.message(Buffer.of(0xff));

    expect(opened.endpoints.all[0]!.state()).toBe('SERVING');
  });

  it('takes one that cannot be asked for healthy, and asks again', async () => {
    const { opened, connections, clock } = await watched();
    const [{ streams }] = connections as [FakeEndpointConnection];
    streams[0]!.listener.message(NOT_SERVING);

    streams[0]!.listener.ended({ code: 14, details: 'gone' });

    expect(opened.endpoints.all[0]!.state()).toBe('SERVING');
    clock.advance(2000);
    expect(streams).toHaveLength(2);
  });

  it('does not ask one again that has no health service', async () => {
    const { opened, connections, clock } = await watched();

    connections[0]!.streams[0]!.listener.ended({ code: 12, details: 'unimplemented' });
    clock.advance(60_000);

    expect(connections[0]!.streams).toHaveLength(1);
    expect(opened.endpoints.all[0]!.state()).toBe('SERVING');
  });

  it('leaves no connection and no timer', async () => {
    const { opened, connections, clock } = await watched();
    connections[0]!.streams[0]!.listener.ended({ code: 14, details: 'gone' });

    opened.close();

    expect(connections[0]!.isClosed).toBe(true);
    expect(clock.timerCount).toBe(0);
  });
});
