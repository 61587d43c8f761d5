// Random lives of a stream: requests for both kinds of models, answers and errors in any order, a caller who reads as he likes, and any
// of the ends. Each request is answered exactly once and in its turn; what is left at the end was cancelled.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { aMessage } from '../testing/ask-model.js';
import { openStream, storyOf, type Asking, type OpenStream } from '../testing/open-stream.js';

type Step =
  | { readonly kind: 'ask'; readonly what: 'good' | 'unknown' | 'refused' | 'broken' }
  | { readonly kind: 'answer' | 'fail'; readonly which: number }
  | { readonly kind: 'read'; readonly slowly: boolean };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      what: fc.constantFrom('good', 'good', 'good', 'unknown', 'refused', 'broken'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('answer', 'answer', 'fail'),
      which: fc.nat(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('read' as const), slowly: fc.boolean() }),
  },
);

const END = fc.constantFrom('half-close', 'cancel', 'drain');

/** A caller of a stream, and what he has to expect. */
class Life {
  readonly stream: OpenStream;
  /** The id of each request, in their order; '' for what has none. */
  readonly asked: string[] = [];
  readonly #waiting: Asking[] = [];
  readonly #model;

  constructor(strict: boolean) {
    this.stream = openStream(strict ? { metadata: { triton_grpc_error: 'true' } } : {});
    this.#model = this.stream.model;
  }

  do(step: Step): void {
    if (step.kind === 'ask') this.#ask(step.what);
    else if (step.kind === 'read') {
      this.stream.call.readsSlowly = step.slowly;
      this.stream.call.drain();
    } else this.#finishOne(step.which, step.kind === 'fail');
  }

  /** Models answer whatever is left, and the caller reads it. */
  finish(): void {
    while (this.#waiting.length > 0) this.#finishOne(0, false);
    this.stream.call.readsSlowly = false;
    this.stream.call.drain();
  }

  /** Ids of requests that models still work on. */
  get underWay(): readonly Asking[] {
    return this.#waiting;
  }

  #ask(what: 'good' | 'unknown' | 'refused' | 'broken'): void {
    const id = what === 'broken' ? '' : `r${this.asked.length}`;
    if (what === 'refused')
      this.#model.refusals.set(id, new RuntimeError('INVALID_ARGUMENT', 'refused'));
    const before = this.#model.asked.length;
    const model = what === 'unknown' ? 'nosuch' : 'm';
    this.stream.call.write(
      what === 'broken' ? Buffer.of(0xff) : aMessage({ id, model_name: model }),
    );
    this.asked.push(id);
    this.#waiting.push(...this.#model.asked.slice(before));
  }

  #finishOne(which: number, fails: boolean): void {
    if (this.#waiting.length === 0) return;
    const [asking] = this.#waiting.splice(which % this.#waiting.length, 1);
    if (fails) asking!.end(new RuntimeError('BACKEND_FAILED', 'failed'));
    else asking!.answer();
  }
}

/** The ids of what was sent. */
function answered(life: Life): string[] {
  return storyOf(life.stream).map((text) => text.replace(/:.*/s, ''));
}

function endings({ stream: { call } }: Life): number {
  return Number(call.finished) + call.failures.length;
}

describe('a stream of any requests, answers and errors', () => {
  it('answers each exactly once, in their order, and then ends', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 60, size: 'max' }), END, (steps, end) => {
        const life = new Life(false);
        for (const step of steps) life.do(step);
        expect(life.asked.slice(0, answered(life).length)).toEqual(answered(life));

        const { call, health, catalog } = life.stream;
        const [before, underWay] = [answered(life), [...life.underWay]];
        if (end === 'cancel') call.cancel();
        else if (end === 'drain') health.endStreams();
        else call.halfClose();
        expect(underWay.every((asking) => asking.call.cancelled === (end === 'cancel'))).toBe(true);
        life.finish();

        expect(answered(life)).toEqual(end === 'cancel' ? before : life.asked);
        expect(endings(life)).toBe(end === 'cancel' ? 0 : 1);
        expect(call.finished).toBe(end === 'half-close');
        expect(catalog.released).toBe(catalog.acquired.length - unknownIn(life));
        expect(health.listeners).toBe(0);
      }),
    );
  });

  it('ends at the first failure with a status where the caller wants that, and answers all before it', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 60, size: 'max' }), (steps) => {
        const life = new Life(true);
        const failedAt: string[] = [];
        for (const step of steps) {
          const left = [...life.underWay];
          life.do(step);
          if (step.kind === 'fail')
            failedAt.push(
              ...left.filter((a) => !life.underWay.includes(a)).map((a) => a.request.id),
            );
        }
        life.stream.call.halfClose();
        life.finish();

        const first = life.asked.findIndex((id) => failedAt.includes(id));
        const cancelled = life.stream.call.failures.length > 0;
        expect(cancelled).toBe(first >= 0);
        expect(answered(life)).toEqual(first >= 0 ? life.asked.slice(0, first) : life.asked);
        expect([endings(life), life.stream.health.listeners]).toEqual([1, 0]);
      }),
    );
  });
});

/** How many requests found no model. */
function unknownIn({ stream: { catalog } }: Life): number {
  return catalog.acquired.filter((name) => name.startsWith('nosuch')).length;
}
