import { describe, expect, it } from 'vitest';
import { aRequest } from '../testing/build.js';
import { NO_PARAMETERS } from '../core/inference.js';
import { RemoteBench } from '../testing/remote-bench.js';

const THREE = ['a:1', 'b:1', 'c:1'];

function states(bench: RemoteBench): string {
  return bench.endpoints.all.map((endpoint) => endpoint.state()).join(' ');
}

describe('Endpoints', () => {
  it('takes them in turn', () => {
    expect(new RemoteBench(THREE).route(7)).toBe('abcabca');
  });

  it('sends a request that has been somewhere to somewhere else', () => {
    const bench = new RemoteBench(THREE);
    const tried = ['m a:1'];

    for (let i = 0; i < 2; i++) bench.ask({ tried });

    expect(tried).toEqual(['m a:1', 'm b:1', 'm c:1']);
    bench.ask({ tried });
    expect(tried).toHaveLength(4);
  });

  it('remembers nothing of a request that is sent once', () => {
    const { call } = new RemoteBench(THREE).ask();

    expect(call.tried).toBeUndefined();
  });

  it('prefers those that are connected, and connects the others meanwhile', () => {
    const bench = new RemoteBench(THREE);
    bench.at('a:1').state = 'coming';
    bench.at('b:1').state = 'down';

    expect(bench.route(3)).toBe('ccc');
    expect(bench.at('a:1').connects).toBe(3);
    bench.at('c:1').state = 'down';
    expect(bench.route(2)).toBe('aa');
    bench.at('a:1').state = 'down';
    expect(new Set(bench.route(3))).toEqual(new Set('abc'));
  });

  it('asks one that is connected again before one that is down', () => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    bench.at('b:1').state = 'down';
    const tried = ['m a:1'];

    bench.ask({ tried });

    expect(tried).toEqual(['m a:1', 'm a:1']);
  });

  it('ejects one that fails over and over, for longer each time, and takes it back', () => {
    const bench = new RemoteBench(THREE);

    bench.break('b:1');

    expect(new Set(bench.route(4))).toEqual(new Set('ac'));
    expect(states(bench)).toBe('SERVING EJECTED SERVING');
    bench.clock.advance(1000);
    expect(new Set(bench.route(3)).size).toBe(3);
    bench.break('b:1', 1);
    bench.clock.advance(1999);
    expect(states(bench)).toContain('EJECTED');
    bench.clock.advance(1);
    expect(states(bench)).not.toContain('EJECTED');
    bench.break('b:1', 1);
    bench.clock.advance(2499);
    expect(states(bench)).toContain('EJECTED');
    bench.clock.advance(1);
    expect(states(bench)).not.toContain('EJECTED');
    expect(bench.endpoints.all[1]!.ejections.value).toBe(3);
  });

  it('forgets earlier ejections of one that has answered for as long as the last one took', () => {
    const bench = new RemoteBench(THREE);
    bench.break('b:1');
    bench.clock.advance(2000);

    bench.route(3);

    bench.break('b:1', 2);
    expect(states(bench)).not.toContain('EJECTED');
    bench.break('b:1', 1);
    expect(states(bench)).toBe('SERVING EJECTED SERVING');
    bench.clock.advance(1000);
    expect(states(bench)).not.toContain('EJECTED');
  });

  it('counts failures only in a row', () => {
    const bench = new RemoteBench(THREE);

    for (let i = 0; i < 3; i++) {
      bench.break('b:1', 2);
      bench.route(3);
    }

    expect(states(bench)).not.toContain('EJECTED');
  });

  it('does not count what was sent before the ejection', () => {
    const bench = new RemoteBench(THREE);
    for (let i = 0; i < 8; i++) bench.ask({ tried: ['m a:1', 'm c:1'] });
    bench.break('b:1', 1);
    expect(states(bench)).toContain('EJECTED');
    expect(bench.endpoints.all[1]!.ejections.value).toBe(1);

    for (let i = 0; i < 3; i++) bench.ask({ tried: ['m a:1', 'm c:1'] });
    bench.clock.advance(1000);
    bench.at('b:1').fail();

    expect(states(bench)).not.toContain('EJECTED');
  });

  it.each([
    [['a:1'], 0],
    [['a:1', 'b:1'], 1],
    [THREE, 1],
    [['a:1', 'b:1', 'c:1', 'd:1'], 2],
  ])('of %j ejects at most %d', (addresses, most) => {
    const bench = new RemoteBench(addresses);

    for (const address of addresses) bench.break(address, 5);

    expect(states(bench).split('EJECTED')).toHaveLength(most + 1);
    expect(bench.route(2)).toHaveLength(2);
  });

  it('never ejects when it is not to', () => {
    const bench = new RemoteBench(THREE, { failures: Infinity });

    bench.break('b:1', 100);

    expect(states(bench)).not.toContain('EJECTED');
  });

  it('leaves out one that says that it is not well, unless there is no other', () => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    bench.endpoints.all[0]!.isHealthy = false;

    expect(bench.route(2)).toBe('bb');
    expect(states(bench)).toBe('UNHEALTHY SERVING');
    bench.at('b:1').state = 'down';
    expect(bench.route(1)).toBe('a');
  });

  it('sends all requests of a sequence to one place, and different ones to different places', () => {
    const bench = new RemoteBench(THREE);
    const used = new Set<string>();

    for (const sequenceId of [1, 2, 3, 4, 'five', 6n, 7, 8]) {
      const parameters = { ...NO_PARAMETERS, sequenceId };
      const places = [1, 2, 3].map(() => {
        bench.ask({ request: aRequest({ parameters }) });
        const [asked] = bench.connections.filter(({ open }) => open.length > 0);
        asked!.answer();
        return asked!.address;
      });
      expect(new Set(places).size).toBe(1);
      used.add(places[0]!);
    }

    expect(used.size).toBeGreaterThan(1);
  });

  it('keeps what it knows of those that stay when addresses change, and closes the others', () => {
    const bench = new RemoteBench(THREE);
    bench.break('b:1');

    bench.endpoints.become(['b:1', 'd:1']);

    expect(states(bench)).toBe('EJECTED SERVING');
    expect(bench.at('a:1').isClosed).toBe(true);
    expect(bench.at('b:1').isClosed).toBe(false);
    bench.endpoints.close();
    expect(bench.connections.every(({ isClosed }) => isClosed)).toBe(true);
  });
});
