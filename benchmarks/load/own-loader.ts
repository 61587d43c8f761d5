// Load by a client of our own, and the time each request took. Run by own-load.ts as: own-loader.js TASK, a LoadTask as JSON;
// writes a LoadResult as JSON.

import { readFileSync } from 'node:fs';
import { percentile } from '../median.js';
import { closedLoop } from './closed-loop.js';
import type { LoadResult, LoadTask } from './load.js';

const { port, bodyFile, point, requests } = JSON.parse(process.argv[2]!) as LoadTask;
const durationsUs = new Float64Array(requests);
let sent = 0;
let answered = 0;
let failure: string | undefined;

const startedAt = performance.now();
await closedLoop(
  { port, point, body: readFileSync(bodyFile) },
  {
    wantsMore: () => failure === undefined && sent++ < requests,
    ended: (request) => {
      failure ??= request.failure;
      durationsUs[answered++] = (request.endedAt - request.sentAt) * 1000;
    },
  },
);
const seconds = (performance.now() - startedAt) / 1000;
if (answered < requests) failure ??= `${answered} of ${requests} requests were answered`;
if (failure !== undefined) throw new Error(failure);
const sorted = durationsUs.sort();
const result: LoadResult = {
  requestsPerSecond: requests / seconds,
  p50Us: percentile(sorted, 0.5),
  p99Us: percentile(sorted, 0.99),
};
process.stdout.write(JSON.stringify(result));
