import { describe, expect, it } from 'vitest';
import type { AddressSource } from './address-source.js';
import { Balancer } from './balancer.js';
import { InferdError } from './inferd-error.js';
import { FakeClock, settled } from './testing/fake-clock.js';
import { FakeConnection } from './testing/fake-connection.js';

const NEVER = new AbortController().signal;

class Fixture {
  readonly clock = new FakeClock();
  readonly opened = new Map<string, FakeConnection>();
  readonly balancer: Balancer;
  addresses: readonly string[] | Error;
  lookUps = 0;

  constructor(addresses: readonly string[] | Error, changes = false) {
    this.addresses = addresses;
    const source: AddressSource = { name: undefined, changes, resolve: () => this.#resolve() };
    this.balancer = new Balancer(source, {
      clock: this.clock,
      open: (address, onChange) => {
        const connection = new FakeConnection(address, onChange);
        this.opened.set(address, connection);
        return connection;
      },
    });
  }

  /** All connections, in these states. */
  async start(...states: ('ready' | 'down' | 'connecting')[]): Promise<void> {
    await this.balancer.all(NEVER);
    [...this.opened.values()].forEach((connection, i) => connection.become(states[i]!));
  }

  async pick(...tried: string[]): Promise<string> {
    const connections = tried.map((address) => this.opened.get(address)!);
    return (await this.balancer.ready(connections, NEVER)).address;
  }

  async picks(count: number): Promise<string[]> {
    const picked: string[] = [];
    while (picked.length < count) picked.push(await this.pick());
    return picked;
  }

  #resolve(): Promise<readonly string[]> {
    this.lookUps++;
    return this.addresses instanceof Error
      ? Promise.reject(this.addresses)
      : Promise.resolve(this.addresses);
  }
}

describe('Balancer', () => {
  it('takes the connections that are ready in turn', async () => {
    const fixture = new Fixture(['a', 'b', 'c']);
    await fixture.start('ready', 'down', 'ready');

    expect(await fixture.picks(4)).toEqual(['a', 'c', 'a', 'c']);
  });

  it('takes a server again that has come back', async () => {
    const fixture = new Fixture(['a', 'b']);
    await fixture.start('ready', 'down');
    await fixture.picks(2);

    fixture.opened.get('b')!.become('ready');

    expect((await fixture.picks(2)).sort()).toEqual(['a', 'b']);
  });

  it('connects to all and waits for the first that is ready', async () => {
    const fixture = new Fixture(['a', 'b']);
    const picked = fixture.pick();
    await settled();
    expect([...fixture.opened.values()].map(({ state }) => state)).toEqual([
      'connecting',
      'connecting',
    ]);

    fixture.opened.get('a')!.become('down');
    fixture.opened.get('b')!.become('ready');

    expect(await picked).toBe('b');
  });

  it('gives one that is down when none can come, for it tells why', async () => {
    const fixture = new Fixture(['a', 'b']);
    await fixture.start('down', 'down');

    expect(await fixture.pick()).toBe('a');
  });

  it('prefers addresses that have not been tried, and the last tried least', async () => {
    const fixture = new Fixture(['a', 'b', 'c']);
    await fixture.start('ready', 'ready', 'ready');

    expect(await fixture.pick('a')).toBe('b');
    expect(await fixture.pick('a', 'b')).toBe('c');
    expect(await fixture.pick('b', 'a', 'c')).not.toBe('c');
  });

  it('tries the only server again', async () => {
    const fixture = new Fixture(['a']);
    await fixture.start('ready');

    expect(await fixture.pick('a')).toBe('a');
  });

  it('hedges to another server only if one is ready', async () => {
    const fixture = new Fixture(['a', 'b']);
    await fixture.start('ready', 'connecting');
    const tried = [fixture.opened.get('a')!];
    expect(fixture.balancer.other(tried)).toBeUndefined();

    fixture.opened.get('b')!.become('ready');

    expect(fixture.balancer.other(tried)?.address).toBe('b');
  });

  it('ends the waiting of a call that is cancelled', async () => {
    const fixture = new Fixture(['a']);
    const controller = new AbortController();
    const picked = fixture.balancer.ready([], controller.signal);

    controller.abort(new InferdError('CANCELLED', 'enough'));

    await expect(picked).rejects.toThrow('enough');
  });

  it('looks a name up again after a while, keeps what stays and closes what goes', async () => {
    const fixture = new Fixture(['a', 'b'], true);
    await fixture.start('ready', 'ready');
    const kept = fixture.opened.get('b');
    fixture.addresses = ['b', 'c'];

    await fixture.pick();
    expect(fixture.lookUps).toBe(1);
    await fixture.clock.advance(30_000);
    await fixture.pick();
    await settled();

    expect(fixture.lookUps).toBe(2);
    expect(fixture.opened.get('a')!.isClosed).toBe(true);
    expect(await fixture.balancer.at('b', NEVER)).toBe(kept);
    expect([...fixture.opened.keys()]).toEqual(['a', 'b', 'c']);
  });

  it('looks a name up sooner while a server is down', async () => {
    const fixture = new Fixture(['a', 'b'], true);
    await fixture.start('ready', 'down');

    await fixture.clock.advance(1_000);
    await fixture.pick();

    expect(fixture.lookUps).toBe(2);
  });

  it('tells that a name cannot be resolved, and tries again a second later', async () => {
    const fixture = new Fixture(new InferdError('UNAVAILABLE', 'no such name'), true);
    await expect(fixture.pick()).rejects.toThrow('no such name');
    await expect(fixture.pick()).rejects.toThrow('no such name');
    expect(fixture.lookUps).toBe(1);

    fixture.addresses = ['a'];
    await fixture.clock.advance(1_000);
    const picked = fixture.pick();
    await settled();
    fixture.opened.get('a')!.become('ready');

    expect(await picked).toBe('a');
  });

  it('refuses an address that it does not have, naming those it has', async () => {
    const fixture = new Fixture(['a:1', 'b:1']);

    await expect(fixture.balancer.at('c:1', NEVER)).rejects.toThrow(
      "'c:1' is none of the client's addresses: a:1, b:1",
    );
  });

  it('lets nobody wait once it is closed', async () => {
    const fixture = new Fixture(['a']);
    const picked = fixture.pick();
    await settled();

    fixture.balancer.close();

    await expect(picked).rejects.toMatchObject({
      code: 'CANCELLED',
      details: 'the client is closed',
    });
    expect(fixture.opened.get('a')!.isClosed).toBe(true);
  });
});
