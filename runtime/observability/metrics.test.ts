import { describe, expect, it } from 'vitest';
import { Timings } from '../core/call.js';
import type { ModelCatalog, ServedModel } from '../core/model-catalog.js';
import { CacheStat, ModelStatistics } from '../core/model-statistics.js';
import { createMetrics, type MetricsOptions } from './metrics.js';

function catalogOf(models: Partial<ServedModel>[]): ModelCatalog {
  const readyVersions = (): Partial<ServedModel>[] =>
    models.map((model) => ({ configMessage: {}, ...model }));
  return { readyVersions } as unknown as ModelCatalog;
}

const OPTIONS: MetricsOptions = {
  counterLatencies: true,
  summaryQuantiles: undefined,
  cpu: true,
  now: () => 0,
  pause: () => Promise.resolve(),
};

async function render(models: Partial<ServedModel>[], options = OPTIONS): Promise<string> {
  return (await createMetrics(catalogOf(models), options).render()).toString();
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
      OPTIONS,
    );

    const lines = (await render()).toString().split('\n');

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

  it('shows the response cache of models that have one', async () => {
    const cache = new CacheStat();
    cache.hits.add(0.25);
    cache.misses.add(1);
    cache.misses.add(2);
    const models = [
      { name: 'cached', version: 1, statistics: new ModelStatistics({ cache }) },
      { name: 'plain', version: 1, statistics: new ModelStatistics() },
    ];

    const lines = (await render(models)).split('\n');

    expect(lines.filter((line) => line.startsWith('nv_cache'))).toEqual([
      'nv_cache_num_hits_per_model{model="cached",version="1"} 1',
      'nv_cache_num_misses_per_model{model="cached",version="1"} 2',
      'nv_cache_hit_duration_per_model{model="cached",version="1"} 250',
      'nv_cache_miss_duration_per_model{model="cached",version="1"} 3000',
    ]);
  });

  it('shows what the response cache of the process holds, where there is one', async () => {
    const cacheUsage = (): { entries: number; bytes: number } => ({ entries: 3, bytes: 999 });

    expect(await render([], { ...OPTIONS, cacheUsage })).toMatch(
      /inferd_response_cache_entries 3\n[^]*inferd_response_cache_bytes 999\n/,
    );
    expect(await render([])).not.toContain('inferd_response_cache');
  });

  it('has the tags of a configuration as labels', async () => {
    const configMessage = { metric_tags: { team: 'a "b"', area: 'x', 'no-label': 'y' } };
    const statistics = new ModelStatistics();

    const text = await render([{ name: 'm', version: 1, statistics, configMessage }]);

    expect(text).toContain(
      'nv_inference_count{_area="x",_team="a \\"b\\"",model="m",version="1"} 0\n',
    );
  });

  it('reads the numbers anew at every scrape, and forgets models that are gone', async () => {
    const statistics = new ModelStatistics();
    const models = [{ name: 'm', version: 1, statistics }];
    const { render } = createMetrics(catalogOf(models), OPTIONS);

    await render();
    statistics.executed(1, { inputMs: 0, inferMs: 0, outputMs: 0 });
    expect((await render()).toString()).toContain('nv_inference_count{model="m",version="1"} 1');

    models.pop();
    expect((await render()).toString()).not.toContain('model="m"');
  });

  it('shows how long requests took, as histograms that add up', async () => {
    const statistics = new ModelStatistics();
    for (const ms of [0.05, 0.3, 7, 9000])
      statistics.succeeded(Object.assign(new Timings(), { inferMs: ms }), ms);

    const lines = (await render([{ name: 'm', version: 1, statistics }])).split('\n');

    const name = 'nv_inference_request_duration_histogram_us';
    expect(lines.filter((line) => line.startsWith(`${name}_bucket`))).toEqual(
      ['100 1', '250 1', '500 2', '1000 2', '2500 2', '5000 2', '10000 3', '25000 3', '50000 3']
        .concat(['100000 3', '250000 3', '500000 3', '1000000 3', '5000000 3', '+Inf 4'])
        .map((pair) => pair.split(' '))
        .map(([le, count]) => `${name}_bucket{model="m",le="${le!}",version="1"} ${count!}`),
    );
    expect(lines).toContain(`${name}_sum{model="m",version="1"} 9007350`);
    expect(lines).toContain(`${name}_count{model="m",version="1"} 4`);
  });

  it('shows how batching works: sizes, what closed batches, how busy instances were', async () => {
    const statistics = new ModelStatistics();
    for (const rows of [1, 3, 3])
      statistics.executed(rows, { inputMs: 0, inferMs: 0, outputMs: 0 });
    statistics.closed.delay = 2;
    statistics.busyMs = 1500;
    statistics.instances = 2;

    const text = await render([{ name: 'm', version: 1, statistics }]);

    expect(text).toContain('inferd_batch_size_bucket{model="m",le="2",version="1"} 1');
    expect(text).toContain('inferd_batch_size_bucket{model="m",le="4",version="1"} 3');
    expect(text).toContain('inferd_batch_size_sum{model="m",version="1"} 7');
    expect(text).toContain('inferd_batch_closed_total{model="m",reason="delay",version="1"} 2');
    expect(text).toContain('inferd_instance_busy_seconds_total{model="m",version="1"} 1.5');
    expect(text).toContain('inferd_instances{model="m",version="1"} 2');
  });

  it('shows summaries in the place of counters of durations when asked to', async () => {
    const statistics = new ModelStatistics({ summaries: true });
    statistics.succeeded(Object.assign(new Timings(), { inferMs: 2 }), 7);
    const options = { ...OPTIONS, counterLatencies: false, summaryQuantiles: [0.5] };

    const text = await render([{ name: 'm', version: 1, statistics }], options);

    expect(text).not.toMatch(/^nv_\w*_duration_us/m);
    expect(text).toContain(
      'nv_inference_request_summary_us{model="m",quantile="0.5",version="1"} 6976',
    );
    expect(text).toContain('nv_inference_compute_infer_summary_us_count{model="m",version="1"} 1');
  });

  it('shows summaries of hits and misses of models that are cached', async () => {
    const cache = new CacheStat({ summaries: true });
    cache.digests!.hits.add(7000, 7);
    const cached = new ModelStatistics({ summaries: true, cache });
    const plain = new ModelStatistics({ summaries: true });
    const options = { ...OPTIONS, summaryQuantiles: [0.5] };

    const text = await render(
      [
        { name: 'c', version: 1, statistics: cached },
        { name: 'p', version: 1, statistics: plain },
      ],
      options,
    );

    expect(text).toContain('nv_cache_hit_summary_per_model{model="c",quantile="0.5",version="1"}');
    expect(text).toContain('nv_cache_hit_summary_per_model_sum{model="c",version="1"} 7000');
    expect(text).toContain('nv_cache_miss_summary_per_model_count{model="c",version="1"} 0');
    expect(text).not.toMatch(/nv_cache_\w+_summary_per_model\w*\{model="p"/);
    expect(await render([{ name: 'c', version: 1, statistics: cached }])).not.toContain(
      'nv_cache_hit_summary',
    );
  });

  it('shows the machine and the process', async () => {
    const text = await render([]);

    expect(text).toMatch(/^nv_cpu_utilization [01]/m);
    expect(text).toMatch(/^nv_cpu_memory_total_bytes \d+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect(await render([], { ...OPTIONS, cpu: false })).not.toContain('nv_cpu');
  });

  it('lets other work go first every so often, and writes once for all who ask meanwhile', async () => {
    const models = Array.from({ length: 1000 }, (_, i) => ({
      name: `m${i}`,
      version: 1,
      statistics: new ModelStatistics(),
      configMessage: {},
    }));
    let pauses = 0;
    let reads = 0;
    const catalog = { readyVersions: () => (reads++, models) } as unknown as ModelCatalog;
    const pause = (): Promise<void> => {
      pauses++;
      return Promise.resolve();
    };
    const metrics = createMetrics(catalog, { ...OPTIONS, pause });

    const [one, two] = await Promise.all([metrics.render(), metrics.render()]);
    await metrics.render();

    expect(two).toBe(one);
    expect(one.toString().match(/^nv_inference_count\{/gm)).toHaveLength(1000);
    expect(reads).toBe(2);
    expect(pauses / reads).toBeGreaterThan(100);
  });

  it('writes names that need it with escapes', async () => {
    const text = await render([
      { name: 'a"b\\c\nd', version: 1, statistics: new ModelStatistics() },
    ]);

    expect(text).toContain('nv_inference_count{model="a\\"b\\\\c\\nd",version="1"} 0');
  });
});
