import { describe, expect, it } from 'vitest';
import { readMetricsConfig } from './metrics-config.js';

describe('readMetricsConfig', () => {
  it('shows counters and no summaries unless told otherwise', () => {
    expect(readMetricsConfig([])).toEqual({
      counterLatencies: true,
      summaryQuantiles: undefined,
      warnings: [],
    });
  });

  it('reads what Triton reads', () => {
    const settings = [
      'counter_latencies=false',
      'summary_latencies=true',
      'summary_quantiles="0.5:0.05,0.99:0.001"',
      'histogram_latencies=true',
    ];

    expect(readMetricsConfig(settings)).toEqual({
      counterLatencies: false,
      summaryQuantiles: [0.5, 0.99],
      warnings: [],
    });
  });

  it.each([
    ['counter_latencies=maybe', "counter_latencies takes true or false, got 'maybe'"],
    ['summary_quantiles=2:0.1', "quantiles from 0 to 1, got '2:0.1'"],
    ['summary_quantiles=', "quantiles from 0 to 1, got ''"],
  ])('refuses %s', (setting, text) => {
    expect(() => readMetricsConfig([setting])).toThrow(text);
  });

  it('warns of what it does not know', () => {
    expect(readMetricsConfig(['colour=red']).warnings).toEqual([
      '--metrics-config=colour=red has no effect: known are counter_latencies, histogram_latencies, summary_latencies and summary_quantiles',
    ]);
  });
});
