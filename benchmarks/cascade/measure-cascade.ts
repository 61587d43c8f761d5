// How often each of the three models is right and how fast it is, on the same messages in the same batches.

import { fp32Output, inferRequest, rawOutput } from '../../runtime/e2e/harness/requests.js';
import type { Message, TestClient } from '../../runtime/e2e/harness/test-client.js';
import { lengthPrefixed } from '../../runtime/testing/build.js';
import type { Say } from '../command/run-bench.js';
import type { CascadeFigures, ModelFigures } from './cascade-report.js';
import type { SpamMessage } from './spam-messages.js';

export const BATCH = 32;
/** Requests under way at a time: as many as keep two stages busy. */
const AT_ONCE = 4;
const THRESHOLD = 0.5;

const MODELS = [
  { label: 'spam_heavy for all', name: 'spam_heavy' },
  { label: 'spam (the cascade)', name: 'spam' },
  { label: 'spam_light version 1 for all', name: 'spam_light', version: '1' },
] as const;

type Model = (typeof MODELS)[number];

export interface CascadeTask {
  readonly messages: readonly SpamMessage[];
  readonly rounds: number;
  readonly roundMs: number;
}

export async function measureCascade(
  client: TestClient,
  { messages, rounds, roundMs }: CascadeTask,
  say: Say,
): Promise<CascadeFigures> {
  const batches = batchesOf(messages);
  const rights: number[] = [];
  for (const model of MODELS) rights.push(await countRight(client, model, batches));
  const perSecond: number[][] = MODELS.map(() => []);
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const [index, model] of MODELS.entries())
      perSecond[index]!.push(await messagesPerSecond(client, { model, batches, roundMs }));
  }
  const models = MODELS.map(({ label }, index): ModelFigures => ({
    ...{ label, messagesPerSecond: perSecond[index]! },
    accuracy: rights[index]! / messages.length,
  }));
  const passedOn = await countPassedOn(client, batches);
  return { messages: messages.length, batch: BATCH, passedOn, models };
}

// ---- details below; callers need not read ----

function batchesOf(messages: readonly SpamMessage[]): SpamMessage[][] {
  const batches: SpamMessage[][] = [];
  for (let from = 0; from < messages.length; from += BATCH)
    batches.push(messages.slice(from, from + BATCH));
  return batches;
}

function requestFor(model: Model, batch: readonly SpamMessage[]): Message {
  const raw = Buffer.from(lengthPrefixed(batch.map(({ text }) => text)));
  const input = { name: 'text', datatype: 'BYTES', shape: [batch.length, 1], raw };
  const version = 'version' in model ? model.version : '';
  return inferRequest(model.name, [input], { model_version: version });
}

async function countRight(
  client: TestClient,
  model: Model,
  batches: readonly SpamMessage[][],
): Promise<number> {
  let right = 0;
  for (const batch of batches) {
    const answer = await client.infer(requestFor(model, batch));
    const probabilities = fp32Output(answer, 'spam_probability');
    right += batch.filter(({ isSpam }, i) => probabilities[i]! > THRESHOLD === isSpam).length;
  }
  return right;
}

async function countPassedOn(
  client: TestClient,
  batches: readonly SpamMessage[][],
): Promise<number> {
  let passedOn = 0;
  for (const batch of batches) {
    const answer = await client.infer(requestFor(MODELS[1], batch));
    const stages = new Int32Array(Uint8Array.from(rawOutput(answer, 'CASCADE_STAGE')).buffer);
    passedOn += stages.filter((stage) => stage > 0).length;
  }
  return passedOn;
}

async function messagesPerSecond(
  client: TestClient,
  { model, batches, roundMs }: { model: Model; batches: readonly SpamMessage[][]; roundMs: number },
): Promise<number> {
  const requests = batches.map((batch) => requestFor(model, batch));
  let next = 0;
  let done = 0;
  const from = performance.now();
  const caller = async (): Promise<void> => {
    while (performance.now() - from < roundMs) {
      const place = next++ % requests.length;
      await client.infer(requests[place]!);
      done += batches[place]!.length;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return (done / (performance.now() - from)) * 1000;
}
