import { describe, expect, it } from 'vitest';
import { CustomMetrics, type MetricUpdate } from '../core/custom-metrics.js';
import { aServedModel } from '../testing/fake-catalog.js';
import { writeCustomMetrics } from './custom-metrics.js';
import { SampleWriter } from './metric-family.js';

function written(...models: readonly (readonly MetricUpdate[])[]): string[] {
  const writer = new SampleWriter();
  const served = models.map((updates) => {
    const customMetrics = new CustomMetrics();
    for (const update of updates) customMetrics.update(update);
    return aServedModel({ customMetrics });
  });
  const labels = models.map((_, i) => ({ before: `model="m${i}"`, after: '' }));
  writeCustomMetrics(writer, [...served, aServedModel()], [...labels, labels[0]!]);
  return writer.take().toString().trim().split('\n');
}

const counter = { name: 'hits', help: 'two\nlines', type: 'counter', add: 1 } as const;

describe('the metrics of models', () => {
  it('are one family where several models use the same name', () => {
    expect(written([counter], [counter])).toEqual([
      '# HELP hits two lines',
      '# TYPE hits counter',
      'hits{model="m0"} 1',
      'hits{model="m1"} 1',
    ]);
  });

  it('leave out what another model calls the same and is of another kind', () => {
    expect(written([counter], [{ name: 'hits', help: '', type: 'gauge', value: 5 }])).toHaveLength(
      3,
    );
  });

  it('have cumulative buckets', () => {
    const histogram = { name: 'h', help: '', type: 'histogram', bounds: [1, 2] } as const;

    expect(written([{ ...histogram, counts: [1, 0, 2], sum: 7 }]).slice(2)).toEqual([
      'h_bucket{model="m0",le="1"} 1',
      'h_bucket{model="m0",le="2"} 1',
      'h_bucket{model="m0",le="+Inf"} 3',
      'h_sum{model="m0"} 7',
      'h_count{model="m0"} 3',
    ]);
  });
});
