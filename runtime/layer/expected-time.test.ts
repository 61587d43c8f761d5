import { describe, expect, it } from 'vitest';
import { LegFigures } from '../core/leg.js';
import { ExpectedTime } from './expected-time.js';

describe('ExpectedTime', () => {
  it('is nothing until something has been answered', () => {
    expect(new ExpectedTime(new LegFigures(), 0.5).ms(0)).toBe(0);
  });

  it('is the quantile of the latest legs, and holds while there are none', () => {
    const figures = new LegFigures();
    const [median, most] = [new ExpectedTime(figures, 0.5), new ExpectedTime(figures, 0.9)];
    for (let ms = 1; ms <= 10; ms++) figures.latency.add(ms * 1000, 0);

    const expected = [median.ms(0), most.ms(0), median.ms(3_600_000)];

    expect(expected.map(Math.round)).toEqual([5, 9, 5]);
  });

  it('is worked out anew after a quarter of a second', () => {
    const figures = new LegFigures();
    const time = new ExpectedTime(figures, 0.5);
    figures.latency.add(1000, 0);
    time.ms(0);
    for (let i = 0; i < 9; i++) figures.latency.add(8000, 100);

    expect([time.ms(200), time.ms(250)].map(Math.round)).toEqual([1, 8]);
  });
});
