import { describe, expect, it } from 'vitest';
import { FixedDelay, QuantileDelay } from './hedge-delay.js';

describe('FixedDelay', () => {
  it('is what it was set to', () => {
    expect(new FixedDelay(7).ms).toBe(7);
  });
});

describe('QuantileDelay', () => {
  const filled = (): QuantileDelay => {
    const delay = new QuantileDelay(0.9);
    for (let ms = 1; ms <= 100; ms++) delay.add(ms, 0);
    return delay;
  };

  it('is not known before a hundred values', () => {
    const delay = new QuantileDelay(0.9);
    for (let i = 0; i < 99; i++) delay.add(5, 0);

    expect(delay.ms).toBeUndefined();
  });

  it('is that quantile of them', () => {
    expect(filled().ms).toBeGreaterThan(87);
    expect(filled().ms).toBeLessThan(93);
  });

  it('holds after a time of idleness until there are a hundred new values, of which it then is', () => {
    const delay = filled();
    const before = delay.ms;
    const muchLater = 3_600_000;

    for (let i = 0; i < 99; i++) delay.add(2, muchLater);
    const held = delay.ms;
    delay.add(2, muchLater);

    expect(held).toBe(before);
    expect(delay.ms).toBeCloseTo(2, 0);
  });
});
