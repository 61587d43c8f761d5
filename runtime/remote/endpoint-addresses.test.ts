import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.js';
import { EndpointAddresses } from './endpoint-addresses.js';

const FIXED = { address: 'a:1', isName: false };
const NAME = { address: 'name:8001', isName: true };

describe('EndpointAddresses', () => {
  const clock = new FakeClock();
  let found: readonly { address: string; family: number }[] | Error;
  let told: (readonly string[])[];
  let lookUps: string[];

  function open(...configs: (typeof FIXED)[]): EndpointAddresses {
    told = [];
    lookUps = [];
    return new EndpointAddresses(configs, {
      clock,
      changed: (addresses) => told.push(addresses),
      lookUp: (host) => {
        lookUps.push(host);
        return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
      },
    });
  }

  it('are those of the list, without asking anybody', async () => {
    const addresses = open(FIXED);

    await addresses.look();
    clock.advance(60_000);
    addresses.refresh(true);

    expect(told).toEqual([['a:1']]);
    expect(lookUps).toEqual([]);
  });

  it('are those of one family that a name has', async () => {
    const addresses = open(FIXED, NAME);
    found = [
      { address: '::1', family: 6 },
      { address: '10.0.0.1', family: 4 },
      { address: '::2', family: 6 },
    ];

    await addresses.look();

    expect(told).toEqual([['a:1', '[::1]:8001', '[::2]:8001']]);
    expect(addresses.serverName('[::2]:8001')).toBe('name');
    expect(addresses.serverName('a:1')).toBe('');
  });

  it('are looked up again after 30 s, or after one where there is trouble', async () => {
    const addresses = open(NAME);
    found = [{ address: '10.0.0.1', family: 4 }];
    await addresses.look();

    const lookedUpAfter = (ms: number, trouble: boolean): number => {
      clock.advance(ms);
      addresses.refresh(trouble);
      return lookUps.length;
    };

    expect(lookedUpAfter(999, true)).toBe(1);
    expect(lookedUpAfter(28_000, false)).toBe(1);
    expect(lookedUpAfter(1001, false)).toBe(2);
  });

  it('stay when the name cannot be looked up', async () => {
    const addresses = open(NAME);
    found = [{ address: '10.0.0.1', family: 4 }];
    await addresses.look();
    found = new Error('getaddrinfo ENOTFOUND name');

    await addresses.look();

    expect(told).toEqual([['10.0.0.1:8001'], ['10.0.0.1:8001']]);
    expect(addresses.problem).toBe('name: getaddrinfo ENOTFOUND name');
  });
});
