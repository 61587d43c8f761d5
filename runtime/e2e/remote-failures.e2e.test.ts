// Endpoints of a remote model that die, come back and hang under load.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { identityRepository } from './harness/identity-repository.js';
import { remoteConfig, remoteRepository } from './harness/remote-repository.js';
import { fp32, inferRequest } from './harness/requests.js';
import type { TemporaryRepository } from './harness/temporary-repository.js';
import { TestClient } from './harness/test-client.js';
import { TestServer } from './harness/test-server.js';

const MODEL = 'identity_fp32';
const REQUEST = inferRequest('far', [fp32('x', [1, 2], [1, 2])]);

const identities = identityRepository();
const running: TestServer[] = [];
const repositories: TemporaryRepository[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.signal('SIGKILL');
    await server.exited;
  }
  for (const repository of repositories.splice(0)) repository.remove();
});

afterAll(() => identities.remove());

async function started(repository: string, ...flags: string[]): Promise<TestServer> {
  const server = await TestServer.start({ repository, flags });
  if (!server.isUp) throw new Error(`the server did not come up:\n${server.told}`);
  running.push(server);
  return server;
}

function endpoint(port = 0): Promise<TestServer> {
  return started(
    identities.path,
    `--grpc-port=${port}`,
    '--model-control-mode=explicit',
    `--load-model=${MODEL}`,
  );
}

/** A server whose model `far` is at these endpoints. */
async function inFrontOf(
  endpoints: readonly TestServer[],
  resilience: string,
): Promise<TestClient> {
  const addresses = endpoints.map(({ ports }) => `localhost:${ports.grpc!}`).join(',');
  const repository = remoteRepository({
    far: remoteConfig(
      { endpoints: addresses, model: MODEL, ejection_ms: '1000' },
      `resilience { ${resilience} }`,
    ),
  });
  repositories.push(repository);
  const { ports } = await started(repository.path);
  return new TestClient(ports.grpc);
}

async function successes(server: TestServer): Promise<number> {
  const client = new TestClient(server.ports.grpc);
  const { model_stats } = await client.call('ModelStatistics', { name: MODEL });
  client.close();
  const [{ inference_stats }] = model_stats as [
    { inference_stats: { success: { count: number } } },
  ];
  return inference_stats.success.count;
}

async function outcomeOf(client: TestClient): Promise<string> {
  try {
    await client.infer(REQUEST);
    return 'ok';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('endpoints that fail', () => {
  it('cost no request when one is killed and started again under load, with retries', async () => {
    const [first, victim, third] = [await endpoint(), await endpoint(), await endpoint()];
    const client = await inFrontOf([first, victim, third], 'retry { max_attempts: 3 }');
    let wanted = true;
    let ok = 0;
    const failures: string[] = [];
    const load = Array.from({ length: 16 }, async () => {
      while (wanted) {
        const outcome = await outcomeOf(client);
        if (outcome === 'ok') ok++;
        else failures.push(outcome);
      }
    });
    while ((await successes(victim)) < 100) continue;

    victim.signal('SIGKILL');
    await victim.exited;
    const after = ok;
    while (ok < after + 200) await new Promise((resolve) => setImmediate(resolve));
    const again = await endpoint(victim.ports.grpc);
    while ((await successes(again)) < 20) continue;
    wanted = false;
    await Promise.all(load);
    client.close();

    expect(failures).toEqual([]);
  });

  it('are left out when they hang', async () => {
    const [good, hung] = [await endpoint(), await endpoint()];
    const client = await inFrontOf([good, hung], 'timeout_microseconds: 300000');
    while ((await successes(hung)) === 0) await outcomeOf(client);

    hung.signal('SIGSTOP');
    const outcomes: string[] = [];
    while (outcomes.length < 10 || outcomes.slice(-10).some((outcome) => outcome !== 'ok'))
      outcomes.push(await outcomeOf(client));
    hung.signal('SIGCONT');
    client.close();

    const failed = outcomes.filter((outcome) => outcome !== 'ok');
    expect(failed).toHaveLength(5);
    expect(failed[0]).toMatch(/DEADLINE_EXCEEDED/);
  });
});
