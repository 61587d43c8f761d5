// The scheduler's parts: the queue, the decision and the batch, with 64 requests of 32 floats.

import { Call } from '../../runtime/core/call.js';
import { BatchCandidate, decideBatch } from '../../runtime/scheduler/batch-decision.js';
import { mergeBatch, sameShapeTest, splitBatch } from '../../runtime/scheduler/batch.js';
import { QueueEntry, type EntryOwner } from '../../runtime/scheduler/queue-entry.js';
import { RequestQueue } from '../../runtime/scheduler/request-queue.js';
import { RecordedReply, aModelConfig, aRequest, aTensor } from '../../runtime/testing/build.js';
import type { MicroCase } from './micro-case.js';

const REQUESTS = 64;
const WIDTH = 32;

const CONFIG = aModelConfig(`
  max_batch_size: ${REQUESTS}
  input [ { name: "x" data_type: TYPE_FP32 dims: [ ${WIDTH} ] } ]
  output [ { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]
  dynamic_batching { }`);

const NOBODY: EntryOwner = { entryDue: () => undefined, entryCancelled: () => undefined };

export function batchCases(): MicroCase[] {
  const entries = Array.from({ length: REQUESTS }, anEntry);
  const result = {
    outputs: [{ shape: [REQUESTS, 1], data: new Uint8Array(REQUESTS * 4) }],
    inputMs: 0,
    inferMs: 0,
    outputMs: 0,
  };
  const batch = { entries, rows: REQUESTS, result };
  return [
    { name: 'queue: push and remove', operations: REQUESTS, run: () => throughQueue(entries) },
    { name: 'add to a batch and decide', operations: REQUESTS, run: () => decide(entries) },
    {
      name: 'merge into a batch, per request',
      operations: REQUESTS,
      run: () => mergeBatch(CONFIG, entries),
    },
    {
      name: 'split a batch, per request',
      operations: REQUESTS,
      run: () => splitBatch(CONFIG, '1', batch),
    },
  ];
}

const queue = new RequestQueue();

function throughQueue(entries: readonly QueueEntry[]): number {
  for (const entry of entries) queue.push(entry);
  for (const entry of entries) queue.remove(entry);
  return queue.size;
}

const candidate = new BatchCandidate<QueueEntry>(CONFIG.batching, sameShapeTest(CONFIG));

/** As the scheduler does with requests that come one by one: each is followed by a decision. */
function decide(entries: readonly QueueEntry[]): unknown {
  candidate.reset();
  let decision: unknown;
  for (const entry of entries) {
    candidate.add(entry);
    decision = decideBatch(candidate, CONFIG.batching, { nowMs: 0, oldestAtMs: 0 });
  }
  return decision;
}

function anEntry(): QueueEntry {
  const inputs = [aTensor('x', [1, WIDTH], Array<number>(WIDTH).fill(0.3))];
  const request = aRequest({ modelName: 'tiny', inputs });
  return new QueueEntry(NOBODY, { request, call: new Call(0), reply: new RecordedReply() }, 1);
}
