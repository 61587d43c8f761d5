// The HTTP side for probes and scrapers: health on one port, metrics on another. What they answer is passed in as functions.

import fastify, { type FastifyInstance } from 'fastify';
import type { ServerHealth } from './server-health.js';

export interface HttpAddress {
  readonly address: string;
  readonly port: number;
}

/** As long as a file name can be, in percent-encoding. */
const LONGEST_NAME = 3 * 255;

/** As many digits as a number holds exactly. */
const VERSION = /^\d{1,15}$/;

/** Health as the v2 protocol has it over HTTP: 200 or 503, no body. */
export function healthHttp(
  health: ServerHealth,
  isModelReady: (name: string, version: string) => boolean,
): FastifyInstance {
  const server = fastify({
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LONGEST_NAME },
  });
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: `there is no ${request.method} ${request.url} here: HTTP serves /v2/health/live, /v2/health/ready and /v2/models/NAME/ready; all else is served over gRPC`,
    }),
  );
  server.get('/v2/health/live', (_request, reply) => reply.send());
  server.get('/v2/health/ready', (_request, reply) =>
    reply.code(health.isReady() ? 200 : 503).send(),
  );
  const modelReady = ({ name, version = '' }: ModelPath): number =>
    isModelReady(name, version) ? 200 : 503;
  server.get<{ Params: ModelPath }>('/v2/models/:name/ready', ({ params }, reply) =>
    reply.code(modelReady(params)).send(),
  );
  server.get<{ Params: ModelPath }>(
    '/v2/models/:name/versions/:version/ready',
    ({ params }, reply) =>
      reply.code(VERSION.test(params.version ?? '') ? modelReady(params) : 400).send(),
  );
  return server;
}

/** /metrics in the text format of Prometheus. */
export function metricsHttp(
  contentType: string,
  render: () => Promise<string | Buffer>,
): FastifyInstance {
  const server = fastify({ forceCloseConnections: true });
  server.get('/metrics', async (_request, reply) => reply.type(contentType).send(await render()));
  return server;
}

/** Resolves with the port in use. */
export async function listen(
  server: FastifyInstance,
  { address, port }: HttpAddress,
): Promise<number> {
  await server.listen({ host: address, port });
  const bound = server.server.address();
  return typeof bound === 'object' && bound ? bound.port : port;
}

interface ModelPath {
  readonly name: string;
  readonly version?: string;
}
