// What Prometheus would see of a test server.

import type { TestServer } from './test-server.js';

/** Values by name and labels, such as `nv_inference_count{model="m",version="1"}`. */
export async function scrape({ ports }: TestServer): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** Resolves when so many requests for version 1 of the model, or more, are queued and do not execute yet; for 0, when none is. */
export async function untilPending(
  server: TestServer,
  model: string,
  count: number,
): Promise<void> {
  const name = `nv_inference_pending_request_count{model="${model}",version="1"}`;
  for (;;) {
    const pending = (await scrape(server)).get(name) ?? NaN;
    if (count === 0 ? pending === 0 : pending >= count) return;
  }
}
