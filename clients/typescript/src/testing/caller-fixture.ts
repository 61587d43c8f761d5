// A caller with two servers, a:1 and b:1, that the test answers for.

import { addressSource } from '../address-source.js';
import { Balancer } from '../balancer.js';
import { Caller, type CallOptions } from '../caller.js';
import { clientSettings, type ClientOptions } from '../client-options.js';
import type { Answer } from '../leg.js';
import { FakeClock, settled } from './fake-clock.js';
import { FakeConnection } from './fake-connection.js';

export class CallerFixture {
  readonly clock = new FakeClock();
  readonly caller: Caller;
  readonly balancer: Balancer;
  readonly a = new FakeConnection('a:1');
  readonly b = new FakeConnection('b:1');
  /** What the random source gives. */
  random = 1;

  constructor(options: Partial<ClientOptions> = {}, addresses = ['a:1', 'b:1']) {
    const settings = clientSettings({ addresses, ...options });
    this.balancer = new Balancer(addressSource(addresses), {
      clock: this.clock,
      open: (address) => (address === 'a:1' ? this.a : this.b),
    });
    this.a.become('ready');
    this.b.become('ready');
    this.caller = new Caller(this.balancer, settings, {
      clock: this.clock,
      random: () => this.random,
    });
  }

  /** Requests that have gone out. */
  get sent(): number {
    return this.a.requests + this.b.requests;
  }

  /** The first server that has a request to answer. */
  get asked(): FakeConnection {
    return this.a.isAsked ? this.a : this.b;
  }

  /** A call that has been sent. */
  async start(options: CallOptions = {}, mayRepeat = true): Promise<Pending> {
    const call = {
      path: '/s/m',
      request: Buffer.alloc(0),
      options,
      mayRepeat,
      hedgedModel: mayRepeat ? 'm' : undefined,
    };
    const answer = this.caller.call(call);
    answer.catch(() => undefined);
    await settled();
    return { answer };
  }

  /** So many calls that are answered after that time, each by whoever has it. */
  async answered(count: number, ms: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { answer } = await this.start();
      await this.clock.advance(ms);
      this.asked.answer();
      await answer;
    }
  }
}

export interface Pending {
  readonly answer: Promise<Answer>;
}
