// What a server says of itself (ModelStatistics). A load generator sees that an answer came; that it was the wanted one, and not
// an error in HTTP's clothes, only the server knows.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TestClient } from '../../runtime/e2e/harness/test-client.js';
import type { BatchCounts } from './ort-process.js';

const PATIENCE_MS = 2_000;
const PAUSE_MS = 50;

export interface ModelCounts {
  readonly succeeded: number;
  readonly failed: number;
  /** Executions by their number of rows. */
  readonly batches: BatchCounts;
}

export async function modelCounts(client: TestClient, model: string): Promise<ModelCounts> {
  const { model_stats: stats } = await client.call('ModelStatistics', { name: model });
  const [{ inference_stats: requests, batch_stats: batches }] = stats as [Stats];
  return {
    succeeded: requests.success.count,
    failed: requests.fail.count,
    batches: new Map(
      batches.map(({ batch_size, compute_infer }) => [batch_size, compute_infer.count]),
    ),
  };
}

/**
 * The counts, as soon as they have grown by exactly `sent` successes; the last ones are counted a moment after they are answered.
 * @throws Error when they do not
 */
export async function countsGrownBy(
  sent: number,
  before: ModelCounts,
  read: () => Promise<ModelCounts>,
): Promise<ModelCounts> {
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const now = await read();
    const succeeded = now.succeeded - before.succeeded;
    const failed = now.failed - before.failed;
    if (succeeded === sent && failed === 0) return now;
    if (waitedMs >= PATIENCE_MS || succeeded > sent)
      throw new Error(`of ${sent} requests ${succeeded} succeeded and ${failed} failed`);
    await sleep(PAUSE_MS);
  }
}

/** The executions between two readings. */
export function batchesBetween(before: ModelCounts, after: ModelCounts): BatchCounts {
  return new Map(
    [...after.batches]
      .map(([size, count]): [number, number] => [size, count - (before.batches.get(size) ?? 0)])
      .filter(([, count]) => count > 0),
  );
}

interface Stats {
  readonly inference_stats: { readonly success: Count; readonly fail: Count };
  readonly batch_stats: readonly { readonly batch_size: number; readonly compute_infer: Count }[];
}

interface Count {
  readonly count: number;
}
