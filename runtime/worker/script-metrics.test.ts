import { describe, expect, it } from 'vitest';
import { ScriptMetrics } from './script-metrics.js';

describe('ScriptMetrics', () => {
  it('tells what has changed since it was asked last, and once that something has', () => {
    let told = 0;
    const metrics = new ScriptMetrics(() => told++);
    const hits = metrics.counter('hits', 'H');
    const sizes = metrics.histogram('sizes', [1, 10]);

    hits.add();
    hits.add(2);
    sizes.observe(5);
    const first = metrics.take();
    metrics.gauge('depth').set(3);

    expect(first).toEqual([
      { name: 'hits', help: 'H', type: 'counter', add: 3 },
      { name: 'sizes', help: '', type: 'histogram', bounds: [1, 10], counts: [0, 1, 0], sum: 5 },
    ]);
    expect(metrics.take()).toEqual([{ name: 'depth', help: '', type: 'gauge', value: 3 }]);
    expect(metrics.take()).toEqual([]);
    expect(told).toBe(2);
  });

  it('shows a counter that was never added to', () => {
    const metrics = new ScriptMetrics(() => undefined);
    metrics.counter('errors');

    expect(metrics.take()).toEqual([{ name: 'errors', help: '', type: 'counter', add: 0 }]);
  });

  it.each<[string, (metrics: ScriptMetrics) => unknown]>([
    ["'nv_x' cannot be the name", (metrics) => metrics.counter('nv_x')],
    ["'a b' cannot be the name", (metrics) => metrics.gauge('a b')],
    ['takes 1 to 32 ascending bounds', (metrics) => metrics.histogram('h', [2, 1])],
    ['ascending bounds', (metrics) => metrics.histogram('h', [1, Infinity])],
    ["metric 'c' takes numbers, got a string", (metrics) => metrics.counter('c').add('5' as never)],
    ["metric 'g' takes numbers", (metrics) => metrics.gauge('g').set('a b' as never)],
    [
      "metric 'h' takes numbers",
      (metrics) => metrics.histogram('h', [1]).observe(undefined as never),
    ],
    ["counter 'c' cannot go back by -1", (metrics) => metrics.counter('c').add(-1)],
    [
      "metric 'c' is a counter, not a gauge",
      (metrics) => [metrics.counter('c'), metrics.gauge('c')],
    ],
    [
      'a model has at most 64 metrics',
      (metrics) => Array.from({ length: 65 }, (_, i) => metrics.counter(`c${i}`)),
    ],
  ])('refuses: %s', (text, use) => {
    expect(() => use(new ScriptMetrics(() => undefined))).toThrow(text);
  });
});
