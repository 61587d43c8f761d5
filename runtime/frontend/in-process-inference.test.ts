import type { InferResult } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { MOST_UNREAD, MOST_UNREAD_BYTES } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import { KeepAlive } from '../core/keep-alive.js';
import type { ServedModel } from '../core/model-catalog.js';
import type { FinishedRequest } from '../core/request-observer.js';
import type { Tensor } from '../core/tensor.js';
import { PuppetServable } from '../testing/ask-model.js';
import { aTensor } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeClock } from '../testing/fake-clock.js';
import { inferInProcess, streamInProcess } from './in-process-inference.js';
import type { InferOptions } from './infer-options.js';
import { RequestsUnderWay } from './requests-under-way.js';
import { SharedMemory } from './shared-memory.js';

const y = aTensor('OUTPUT0', [1, 2], [3, 4]);
const inputs = { INPUT0: { shape: [1, 2], data: Float32Array.of(1, 2) } };

function setUp(serving: Partial<ServedModel> = {}) {
  const model = new PuppetServable();
  const catalog = new FakeCatalog().serve(aServedModel(serving), model);
  const clock = new FakeClock();
  const seen: FinishedRequest[] = [];
  const requests = new RequestsUnderWay(new KeepAlive());
  const parts = {
    ...{ catalog, clock, requests, sharedMemory: new SharedMemory() },
    observer: { requestFinished: (request: FinishedRequest) => void seen.push(request) },
  };
  const infer = (options: InferOptions = {}): Promise<InferResult> =>
    inferInProcess({ model: 'm', inputs, options }, parts);
  const stream = (options: InferOptions = {}): AsyncGenerator<InferResult, void, undefined> =>
    streamInProcess({ model: 'm', inputs, options }, parts);
  return { model, catalog, clock, seen, requests, infer, stream };
}

/** What the promise rejects with; `during` is done first. */
async function failureOf(asked: Promise<unknown>, during = () => undefined as unknown) {
  const failed = asked.then(
    () => undefined,
    (error: unknown) => error,
  );
  during();
  const error = await failed;
  expect(error).toBeInstanceOf(RuntimeError);
  return error as RuntimeError;
}

describe('a request in this process', () => {
  it('is answered with the outputs, and the model released', async () => {
    const { model, catalog, infer } = setUp();
    const asked = infer({ id: 'r1' });

    model.respond(y);
    expect(catalog.released).toBe(0);
    model.end();

    expect(await asked).toMatchObject({
      ...{ modelName: 'm', modelVersion: '1', id: 'r1' },
      outputs: { OUTPUT0: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(3, 4) } },
    });
    expect(catalog.released).toBe(1);
  });

  it('is told of to who observes requests, with the headers it was given', async () => {
    const { model, seen, infer } = setUp();
    const asked = infer({ id: 'r1', metadata: { Traceparent: '00-1' } });
    model.respond(y);
    model.end();
    await asked;

    expect(seen).toMatchObject([
      { modelName: 'm', modelVersion: '1', id: 'r1', error: undefined, endedAt: 1000 },
    ]);
    expect(seen[0]!.metadata('traceparent')).toBe('00-1');
    expect(seen[0]!.metadata('tracestate')).toBeUndefined();
  });

  it('fails with the error of the model', async () => {
    const { model, seen, infer } = setUp();
    const error = new RuntimeError('QUEUE_FULL', 'full');

    expect(await failureOf(infer(), () => model.end(error))).toBe(error);
    expect(seen).toMatchObject([{ error: { code: 'QUEUE_FULL' } }]);
  });

  it('fails where the model says nothing', async () => {
    const { model, infer } = setUp();

    const error = await failureOf(infer(), () => model.end());

    expect(error).toMatchObject({ code: 'INTERNAL' });
    expect(error.message).toMatch(/ended without a response/);
  });

  it('fails for a model that is not there', async () => {
    const { infer, requests } = setUp({ name: 'other' });

    expect(await failureOf(infer())).toMatchObject({ code: 'NOT_FOUND' });
    await requests.drain();
  });

  it('is refused by a decoupled model, which may answer more than once', async () => {
    const { infer, catalog } = setUp({ decoupled: true });

    expect(await failureOf(infer())).toMatchObject({
      code: 'UNSUPPORTED',
      message: "model 'm' is decoupled and may answer any number of times; use inferStream",
    });
    expect(catalog.released).toBe(1);
  });

  it('hands its deadline on, and fails when that has passed, even if the model goes on', async () => {
    const { model, clock, seen, infer } = setUp();

    const error = await failureOf(infer({ deadlineMs: 50 }), () => {
      expect(model.call!.deadline).toBe(1050);
      clock.advance(50);
    });
    model.respond(y);
    model.end();

    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', message: 'no answer within 50 ms' });
    expect(model.call!.cancelled).toBe(true);
    expect(seen).toMatchObject([{ error: { code: 'DEADLINE_EXCEEDED' } }]);
  });

  it('leaves no timer and no listener behind', async () => {
    const { model, clock, infer } = setUp();
    const { signal } = new AbortController();
    const asked = infer({ deadlineMs: 50, signal });
    model.respond(y);
    model.end();
    await asked;

    expect(clock.timerCount).toBe(0);
    signal.dispatchEvent(new Event('abort'));
    expect(model.call!.cancelled).toBe(false);
  });

  it.each([0, -1, NaN, '5'])('does not take the deadline %j', async (deadlineMs) => {
    const { infer, model } = setUp();

    const error = await failureOf(infer({ deadlineMs: deadlineMs as number }));

    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(error.message).toBe(`deadlineMs is a number above 0, got ${deadlineMs}`);
    expect(model.request).toBeUndefined();
  });

  it('is cancelled by its signal', async () => {
    const { model, infer } = setUp();
    const controller = new AbortController();
    const reason = new Error('enough');

    const error = await failureOf(infer({ signal: controller.signal }), () =>
      controller.abort(reason),
    );

    expect(error).toMatchObject({ code: 'CANCELLED', cause: reason });
    expect(model.call!.cancelled).toBe(true);
  });

  it('is not sent where the signal is aborted already', async () => {
    const { model, infer } = setUp();

    expect(await failureOf(infer({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'CANCELLED',
    });
    expect(model.request).toBeUndefined();
  });

  it('is waited for at the end, and refused after it', async () => {
    const { model, requests, infer } = setUp();
    const asked = infer();
    let isDrained = false;
    const drained = requests.drain().then(() => (isDrained = true));

    expect(await failureOf(infer())).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(isDrained).toBe(false);
    model.respond(y);
    model.end();
    await asked;
    await drained;
  });

  it('is cut off where the end does not wait any longer', async () => {
    const { model, requests, infer } = setUp();

    const error = await failureOf(infer(), () => {
      void requests.drain();
      requests.cutOff();
    });

    expect(error).toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(model.call!.cancelled).toBe(true);
  });
});

describe('a request for any number of answers', () => {
  it('yields them as they come', async () => {
    const { model, stream } = setUp({ decoupled: true });
    const answers = stream();
    const first = answers.next();
    model.respond(y);
    expect((await first).value).toMatchObject({ modelName: 'm' });

    model.respond(y);
    model.respond(y);
    model.end();

    expect((await answers.next()).done).toBe(false);
    expect((await answers.next()).done).toBe(false);
    expect((await answers.next()).done).toBe(true);
  });

  it('may have none', async () => {
    const { model, stream } = setUp({ decoupled: true });
    const first = stream().next();
    model.end();

    expect((await first).done).toBe(true);
  });

  it('yields what there was before the error', async () => {
    const { model, stream } = setUp({ decoupled: true });
    const answers = stream();
    const first = answers.next();
    model.respond(y);
    model.end(new RuntimeError('BACKEND_FAILED', 'no more'));

    expect((await first).done).toBe(false);
    expect(await failureOf(answers.next())).toMatchObject({ code: 'BACKEND_FAILED' });
  });

  it('is cancelled when its caller reads no more', async () => {
    const { model, requests, stream } = setUp({ decoupled: true });
    const answers = stream();
    const first = answers.next();
    model.respond(y);
    await first;

    await answers.return();

    expect(model.call!.cancelled).toBe(true);
    await requests.drain();
  });

  it('takes a model that answers once', async () => {
    const { model, stream } = setUp();
    const answers = stream();
    const first = answers.next();
    model.respond(y);
    model.end();

    expect((await first).done).toBe(false);
    expect((await answers.next()).done).toBe(true);
  });
});

describe('a request whose answers are read slowly', () => {
  /** A model that has given these answers, of which one is read, and how often it was told to go on. */
  async function slow(...outputs: readonly Tensor[]) {
    const { model, requests, stream } = setUp({ decoupled: true });
    const answers = stream();
    const first = answers.next();
    for (const output of outputs) model.respond(output);
    await first;
    const pace = model.call!.pace!;
    let told = 0;
    pace.onReady({ readerReady: () => told++ });
    return { model, requests, answers, pace, told: () => told };
  }
  const many = (count: number): Tensor[] => Array.from({ length: count }, () => y);
  const numbers = MOST_UNREAD_BYTES / 4;
  const large = aTensor('OUTPUT0', [1, numbers], new Array<number>(numbers).fill(1));

  it('holds the model back while many wait', async () => {
    const { answers, pace, told } = await slow(...many(MOST_UNREAD + 1));
    expect([pace.isBehind, told()]).toEqual([true, 0]);

    await answers.next();
    await answers.next();

    expect([pace.isBehind, told()]).toEqual([false, 1]);
  });

  it('holds the model back while few large ones wait', async () => {
    const { answers, pace, told } = await slow(y, large, y);
    expect([pace.isBehind, told()]).toEqual([true, 0]);

    await answers.next();

    expect([pace.isBehind, told()]).toEqual([false, 1]);
  });

  it('lets the model go, and keeps nothing, when the reader has gone', async () => {
    const { model, requests, answers, pace, told } = await slow(...many(MOST_UNREAD + 1));

    await answers.return();
    for (const output of many(MOST_UNREAD)) model.respond(output);

    expect([model.call!.cancelled, pace.isBehind, told()]).toEqual([true, false, 1]);
    await requests.drain();
  });

  it('has all of them, in their order', async () => {
    const { model, answers } = await slow(...many(MOST_UNREAD + 1));
    model.respond(aTensor('OUTPUT0', [1, 1], [9]));
    model.end();

    const read: InferResult[] = [];
    for await (const answer of answers) read.push(answer);

    expect(read).toHaveLength(MOST_UNREAD + 1);
    expect(read.at(-1)!.outputs['OUTPUT0']!.data).toEqual(Float32Array.of(9));
  });
});
