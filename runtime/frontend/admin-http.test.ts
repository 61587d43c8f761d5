import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseModelVersion } from '../core/model-version.js';
import { FakeHealth } from '../testing/fake-health.js';
import { healthHttp, listen, metricsHttp } from './admin-http.js';

let health: FakeHealth;
/** "name:version" of models that are ready. */
let ready: Set<string>;
let server: FastifyInstance;

beforeEach(() => {
  health = new FakeHealth();
  ready = new Set();
  server = healthHttp(health, (name, version) => {
    // As the registry: throws for what is no version number.
    parseModelVersion(version);
    return ready.has(`${name}:${version}`);
  });
});

afterEach(async () => {
  await server.close();
});

async function get(url: string): Promise<{ status: number; body: string }> {
  const { statusCode, body } = await server.inject({ method: 'GET', url });
  return { status: statusCode, body };
}

describe('health over HTTP', () => {
  it('lives as long as it answers', async () => {
    health.stop();

    expect(await get('/v2/health/live')).toEqual({ status: 200, body: '' });
  });

  it('is ready when the server is', async () => {
    expect(await get('/v2/health/ready')).toEqual({ status: 200, body: '' });

    health.ready = false;

    expect(await get('/v2/health/ready')).toEqual({ status: 503, body: '' });
  });

  it('tells of a model, any version or one', async () => {
    ready.add('m:').add('m:2');

    expect(await get('/v2/models/m/ready')).toEqual({ status: 200, body: '' });
    expect(await get('/v2/models/m/versions/2/ready')).toEqual({ status: 200, body: '' });
    expect(await get('/v2/models/m/versions/1/ready')).toEqual({ status: 503, body: '' });
    expect(await get('/v2/models/nosuch/ready')).toEqual({ status: 503, body: '' });
  });

  it('reads names as they are written in URLs', async () => {
    ready.add('a/b ü:');

    expect((await get('/v2/models/a%2Fb%20%C3%BC/ready')).status).toBe(200);
  });

  it.each(['x', '-1', '+1', '1.0', '1x'])('takes no version %s', async (version) => {
    expect((await get(`/v2/models/m/versions/${version}/ready`)).status).toBe(400);
  });

  it('takes no version that is beyond all numbers', async () => {
    expect((await get('/v2/models/m/versions/99999999999999999999/ready')).status).toBe(400);
  });

  it.each(['/', '/v2', '/v2/models/m', '/metrics', '/v2/health/nosuch'])(
    'has nothing at %s',
    async (url) => {
      expect((await get(url)).status).toBe(404);
    },
  );
});

describe('metrics over HTTP', () => {
  it('are rendered anew at every call, in their own format', async () => {
    let scrapes = 0;
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    const metrics = metricsHttp(type, () => Promise.resolve(`scrapes ${++scrapes}\n`));

    const first = await metrics.inject('/metrics');
    const second = await metrics.inject('/metrics');

    expect([first.statusCode, first.headers['content-type']]).toEqual([200, type]);
    expect([first.body, second.body]).toEqual(['scrapes 1\n', 'scrapes 2\n']);
  });

  it('answer 500 where they cannot be rendered', async () => {
    const metrics = metricsHttp('text/plain', () => Promise.reject(new Error('no')));

    expect((await metrics.inject('/metrics')).statusCode).toBe(500);
  });
});

describe('listen', () => {
  it('tells the port that the system chose', async () => {
    const port = await listen(server, { address: '127.0.0.1', port: 0 });

    expect(port).toBeGreaterThan(0);
    expect((await fetch(`http://127.0.0.1:${port}/v2/health/live`)).status).toBe(200);
  });

  it('fails for a port that is taken', async () => {
    const port = await listen(server, { address: '127.0.0.1', port: 0 });
    const second = metricsHttp('text/plain', () => Promise.resolve(''));

    await expect(listen(second, { address: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
    await second.close();
  });
});
