// What every Servable must do, whatever it is: schedulers, layers and pipelines run this suite.

import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Servable } from '../core/servable.js';
import { RecordedReply, aRequest } from './build.js';
import type { FakeClock } from './fake-clock.js';

/** A servable under test, on a clock that stands still, and the means to let its work go on. */
export interface Subject {
  readonly servable: Servable;
  readonly clock: FakeClock;
  /** Lets everything that was accepted finish well. */
  finish(): Promise<void>;
  /** Makes what is under way fail in the backend. */
  breakDown(): Promise<void>;
}

export function servableConformance(name: string, create: () => Subject): void {
  describe(`${name} as a Servable`, () => {
    const ask = (
      { servable, clock }: Subject,
      options: { request?: InferenceRequest; deadline?: number } = {},
    ): { call: Call; reply: RecordedReply } => {
      const call = new Call(clock.now(), options.deadline);
      const reply = new RecordedReply();
      servable.infer(options.request ?? aRequest(), call, reply);
      return { call, reply };
    };

    it('answers a request exactly once', async () => {
      const subject = create();

      const { reply } = ask(subject);
      await subject.finish();

      expect(reply.responses).toHaveLength(1);
      expect(reply.ends).toEqual([undefined]);
    });

    it('ends with a RuntimeError, and without a response, when the backend fails', async () => {
      const subject = create();

      const { reply } = ask(subject);
      await subject.breakDown();

      expect(reply.responses).toHaveLength(0);
      expect(reply.ends).toHaveLength(1);
      expect(reply.ends[0]).toBeInstanceOf(RuntimeError);
    });

    it('answers a cancelled call once, with CANCELLED', async () => {
      const subject = create();

      const { call, reply } = ask(subject);
      call.cancel();
      await subject.finish();

      expect(reply.ends.map((error) => error?.code)).toEqual(['CANCELLED']);
      expect(reply.responses).toHaveLength(0);
    });

    it('answers a call that was cancelled before it came', async () => {
      const subject = create();
      const call = new Call(subject.clock.now());
      const reply = new RecordedReply();

      call.cancel();
      subject.servable.infer(aRequest(), call, reply);
      await subject.finish();

      expect(reply.outcome).toBe('CANCELLED');
    });

    it('answers a call whose deadline has passed with DEADLINE_EXCEEDED, without running it', async () => {
      const subject = create();

      const { reply } = ask(subject, { deadline: subject.clock.now() - 1 });
      subject.clock.advance(2);
      await subject.finish();

      expect(reply.outcome).toBe('DEADLINE_EXCEEDED');
    });

    it('leaves the request as it was', async () => {
      const subject = create();
      const request = aRequest({ rows: 2 });
      const before = structuredClone({ ...request, parameters: undefined });

      ask(subject, { request });
      await subject.finish();

      expect({ ...request, parameters: undefined }).toEqual(before);
    });

    it('leaves no timer behind', async () => {
      const subject = create();

      ask(subject, { deadline: subject.clock.now() + 60_000 });
      await subject.finish();

      expect(subject.clock.timerCount).toBe(0);
    });
  });
}
