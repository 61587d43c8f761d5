import { describe, expect, it } from 'vitest';
import { Timings } from '../core/call.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import { ModelStatistics } from '../core/model-statistics.js';
import { createMetrics } from './metrics.js';

function catalogOf(models: Partial<ServedModel>[]): ModelCatalog {
  return { readyVersions: () => models } as unknown as ModelCatalog;
}

describe('createMetrics', () => {
  it('shows the counters of every version as Triton names and labels them', async () => {
    const statistics = new ModelStatistics();
    statistics.executed(3, { inputMs: 1, inferMs: 2, outputMs: 0.5 });
    statistics.succeeded(Object.assign(new Timings(), { inferMs: 2 }), 7);
    statistics.failed('QUEUE_FULL', 1);
    statistics.pending = 4;
    const { render, contentType } = createMetrics(
      catalogOf([{ name: 'm', version: 2, statistics }]),
    );

    const lines = (await render()).split('\n');

    expect(contentType).toMatch(/^text\/plain/);
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE nv_inference_request_success counter',
        'nv_inference_request_success{model="m",version="2"} 1',
        'nv_inference_request_failure{model="m",reason="REJECTED",version="2"} 1',
        'nv_inference_request_failure{model="m",reason="CANCELED",version="2"} 0',
        'nv_inference_count{model="m",version="2"} 3',
        'nv_inference_exec_count{model="m",version="2"} 1',
        'nv_inference_request_duration_us{model="m",version="2"} 7000',
        'nv_inference_compute_infer_duration_us{model="m",version="2"} 2000',
        '# TYPE nv_inference_pending_request_count gauge',
        'nv_inference_pending_request_count{model="m",version="2"} 4',
      ]),
    );
  });

  it('reads the numbers anew at every scrape, and forgets models that are gone', async () => {
    const statistics = new ModelStatistics();
    const models = [{ name: 'm', version: 1, statistics }];
    const { render } = createMetrics(catalogOf(models));

    await render();
    statistics.executed(1, { inputMs: 0, inferMs: 0, outputMs: 0 });
    expect(await render()).toContain('nv_inference_count{model="m",version="1"} 1');

    models.pop();
    expect(await render()).not.toContain('model="m"');
  });
});
