import { describe, expect, it } from 'vitest';
import { addressSource } from './address-source.js';
import { clientSettings, type ClientOptions } from './client-options.js';

describe('the options of a client', () => {
  it('have defaults', () => {
    expect(clientSettings({ addresses: 'localhost:8001' })).toEqual({
      addresses: 'localhost:8001',
      tls: undefined,
      deadlineMs: 30_000,
      retry: { max: 3, initialBackoffMs: 50, maxBackoffMs: 1_000, budgetPercent: 20 },
      hedge: undefined,
      keepalive: undefined,
      metadata: {},
    });
  });

  it('take a number of retries', () => {
    expect(clientSettings({ addresses: 'a:1', retries: 0 }).retry).toMatchObject({ max: 0 });
  });

  it('turn TLS on and off', () => {
    expect(clientSettings({ addresses: 'a:1', tls: true }).tls).toEqual({});
    expect(clientSettings({ addresses: 'a:1', tls: false }).tls).toBeUndefined();
  });

  it('count an address once', () => {
    expect(clientSettings({ addresses: ['a:1', 'b:1', 'a:1'] }).addresses).toEqual(['a:1', 'b:1']);
  });

  it.each<[Partial<ClientOptions>, string]>([
    [{ addresses: [] }, "addresses is empty; name a server: ['localhost:8001']"],
    [{ addresses: '' }, "addresses is empty; name a server: ['localhost:8001']"],
    [{ addresses: 'localhost' }, "address 'localhost' is not host:port, such as localhost:8001"],
    [{ addresses: ['a:99999'] }, "address 'a:99999' is not host:port, such as localhost:8001"],
    [
      { addresses: 'https://a:1' },
      "address 'https://a:1' has a scheme; write host:port, and tls: true for TLS",
    ],
    [{ deadlineMs: 0 }, 'deadlineMs is a positive number, got 0'],
    [{ retries: -1 }, 'retries.max is a number from 0 on, got -1'],
    [{ retries: { budgetPercent: NaN } }, 'retries.budgetPercent is a number from 0 on, got NaN'],
    [{ hedge: {} }, 'hedge takes either delayMs or quantile'],
    [{ hedge: { delayMs: 1, quantile: 0.9 } }, 'hedge takes either delayMs or quantile'],
    [{ hedge: { quantile: 95 } }, 'hedge.quantile is between 0 and 1, got 95'],
  ])('are refused: %j', (options, message) => {
    expect(() => clientSettings({ addresses: 'a:1', ...options })).toThrow(message);
  });
});

describe('the addresses', () => {
  const lookUp = (): Promise<{ address: string; family: number }[]> =>
    Promise.resolve([
      { address: '10.0.0.1', family: 4 },
      { address: '::1', family: 6 },
      { address: '10.0.0.2', family: 4 },
    ]);

  it('of a name are what it has in DNS, of the family that comes first', async () => {
    const source = addressSource('models.example:8001', lookUp);

    expect(source).toMatchObject({ name: 'models.example', changes: true });
    expect(await source.resolve()).toEqual(['10.0.0.1:8001', '10.0.0.2:8001']);
  });

  it('of the newer family are written in brackets', async () => {
    const newer = (): ReturnType<typeof lookUp> => Promise.resolve([{ address: '::1', family: 6 }]);

    expect(await addressSource('models.example:1', newer).resolve()).toEqual(['[::1]:1']);
  });

  it.each(['localhost:1', '127.0.0.1:1', '[::1]:1'])('of %s is itself', async (address) => {
    const source = addressSource(address, lookUp);

    expect(source.changes).toBe(false);
    expect(await source.resolve()).toEqual([address]);
  });

  it('in a list are left as they are', async () => {
    const list = ['models.example:1', 'b:1'];

    expect(await addressSource(list, lookUp).resolve()).toEqual(list);
  });

  it('of a name that does not exist are an error', async () => {
    const source = addressSource('nowhere.example:1', () => Promise.reject(new Error('ENOTFOUND')));

    await expect(source.resolve()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: "cannot find the servers 'nowhere.example': ENOTFOUND",
    });
  });
});
