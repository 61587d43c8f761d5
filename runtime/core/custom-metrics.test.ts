import { describe, expect, it } from 'vitest';
import { CustomMetrics } from './custom-metrics.js';

describe('CustomMetrics', () => {
  it('adds up counters and histograms and keeps the last value of a gauge', () => {
    const metrics = new CustomMetrics();
    const histogram = { name: 'h', help: '', type: 'histogram', bounds: [1] } as const;

    metrics.update({ name: 'c', help: 'C', type: 'counter', add: 2 });
    metrics.update({ name: 'c', help: 'C', type: 'counter', add: 3 });
    metrics.update({ name: 'g', help: '', type: 'gauge', value: 2 });
    metrics.update({ name: 'g', help: '', type: 'gauge', value: 1 });
    metrics.update({ ...histogram, counts: [1, 0], sum: 1 });
    metrics.update({ ...histogram, counts: [0, 2], sum: 9 });

    expect([...metrics.all]).toEqual([
      { name: 'c', help: 'C', type: 'counter', value: 5 },
      { name: 'g', help: '', type: 'gauge', value: 1 },
      { ...histogram, counts: [1, 2], sum: 10 },
    ]);
  });
});
