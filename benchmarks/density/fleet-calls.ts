// Calls for very many models, so many at a time.

import pLimit from 'p-limit';
import type { TestClient } from '../../runtime/e2e/harness/test-client.js';
import { askBytes, bytesClient, isNear, readInferAnswer } from '../works/infer-answer.js';
import type { FleetModel } from './model-fleet.js';

const AT_ONCE = 16;

/** Milliseconds until the last call is answered. @throws ServiceError when one fails */
export async function callForAll(
  client: TestClient,
  method: 'RepositoryModelLoad' | 'RepositoryModelUnload',
  models: readonly FleetModel[],
): Promise<number> {
  const startedAt = performance.now();
  await atOnce(models, ({ name }) => client.call(method, { model_name: name }));
  return performance.now() - startedAt;
}

/** How many models do not answer what they must. */
export async function wrongAnswers(port: number, models: readonly FleetModel[]): Promise<number> {
  const client = bytesClient(`127.0.0.1:${port}`);
  try {
    const right = await atOnce(models, async ({ message, answer }) =>
      isNear(readInferAnswer(await askBytes(client, message)).values, answer),
    );
    return right.filter((isRight) => !isRight).length;
  } finally {
    client.close();
  }
}

function atOnce<T>(
  models: readonly FleetModel[],
  call: (model: FleetModel) => Promise<T>,
): Promise<T[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(models.map((model) => limit(() => call(model))));
}
