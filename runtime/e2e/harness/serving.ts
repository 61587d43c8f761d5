// A server for the tests of one describe block: started before them, stopped after them.

import { afterAll, beforeAll } from 'vitest';
import { TestClient } from './test-client.js';
import { TestServer } from './test-server.js';
import type { TemporaryRepository } from './temporary-repository.js';

export interface Serving {
  readonly server: TestServer;
  readonly client: TestClient;
}

/** Call it in the describe block; the members can be used in its tests. A temporary repository is removed afterwards. */
export function serving(
  repository: TemporaryRepository | string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Serving {
  let started: Serving | undefined;
  const path = typeof repository === 'string' ? repository : repository.path;

  beforeAll(async () => {
    const server = await TestServer.start({ repository: path, flags, env });
    if (!server.isUp) throw new Error(`the server did not come up:\n${server.told}`);
    started = { server, client: new TestClient(server.ports.grpc) };
  });

  afterAll(async () => {
    started?.client.close();
    await started?.server.stop();
    if (typeof repository !== 'string') repository.remove();
  });

  return {
    get server() {
      return started!.server;
    },
    get client() {
      return started!.client;
    },
  };
}
