import { afterEach, describe, expect, it } from 'vitest';
import { KeepAlive } from '../core/keep-alive.js';
import { RequestsUnderWay } from './requests-under-way.js';

const keepAlive = new KeepAlive();
afterEach(() => keepAlive.end());

describe('requests under way', () => {
  it('are waited for', async () => {
    const requests = new RequestsUnderWay(keepAlive);
    let answer: (text: string) => void = () => undefined;
    const asked = requests.during(() => new Promise<string>((resolve) => (answer = resolve)));
    let isDrained = false;
    const drained = requests.drain().then(() => (isDrained = true));
    await Promise.resolve();
    expect(isDrained).toBe(false);

    answer('done');

    expect(await asked).toBe('done');
    await drained;
  });

  it('fail as their work does', async () => {
    const requests = new RequestsUnderWay(keepAlive);

    await expect(requests.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await requests.drain();
  });

  it('are no more once nothing is taken', async () => {
    const requests = new RequestsUnderWay(keepAlive);
    await requests.drain();
    let isAsked = false;

    const asked = requests.during(() => {
      isAsked = true;
      return Promise.resolve();
    });

    await expect(asked).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    expect(isAsked).toBe(false);
    expect(requests.isClosed).toBe(true);
  });

  it('are given up where nobody waits for them', async () => {
    const requests = new RequestsUnderWay(keepAlive);
    const asked = requests.during(() => new Promise(() => undefined));
    const drained = requests.drain();

    requests.cutOff();

    await expect(asked).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await drained;
  });
});
