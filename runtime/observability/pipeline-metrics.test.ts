import { describe, expect, it } from 'vitest';
import { LegFigures } from '../core/leg.js';
import { PipelineCounter, type PipelineNode } from '../core/pipeline-node.js';
import { SampleWriter } from './metric-family.js';
import { PIPELINE_METRICS, labelledNodes } from './pipeline-metrics.js';

function textOf(root: PipelineNode): string[] {
  const writer = new SampleWriter();
  writer.labels({ before: 'model="m"', after: ',version="1"' });
  for (const family of PIPELINE_METRICS) {
    writer.begin(family);
    for (const node of labelledNodes(root)) family.write(writer, node);
  }
  const lines = writer.take().toString().trim().split('\n');
  return lines.filter((line) => !line.startsWith('#'));
}

describe('the metrics of pipelines', () => {
  it('tell what became of the legs of each part, once each', () => {
    const figures = Object.assign(new LegFigures(), {
      ...{ sent: 9, answered: 4, failed: 3, timedOut: 1, abandoned: 2, rows: 20, totalMs: 5 },
    });

    const lines = textOf({
      ...{ kind: 'ensemble', name: '' },
      children: [
        { kind: 'step', name: '0', model: { name: 'a', version: 2 }, figures, children: [] },
      ],
    });

    const labels = 'model="m",part="ensemble/step 0",kind="step",target="a:2"';
    expect(lines).toEqual([
      `inferd_leg_requests_total{${labels},outcome="answered",version="1"} 4`,
      `inferd_leg_requests_total{${labels},outcome="failed",version="1"} 2`,
      `inferd_leg_requests_total{${labels},outcome="timed_out",version="1"} 1`,
      `inferd_leg_requests_total{${labels},outcome="abandoned",version="1"} 2`,
      `inferd_leg_rows_total{${labels},version="1"} 20`,
      `inferd_leg_duration_us_total{${labels},version="1"} 5000`,
    ]);
  });

  it('tell events with their labels, and states', () => {
    const exits = new PipelineCounter('exits', { rule: '0', decision: 'sp"am' });
    exits.value = 7;

    const lines = textOf({
      ...{ kind: 'circuit-breaker', name: '', state: () => 'OPEN' },
      ...{ counters: [exits], children: [] },
    });

    expect(lines).toEqual([
      'inferd_pipeline_events_total{model="m",part="circuit-breaker",kind="circuit-breaker",event="exits",rule="0",decision="sp\\"am",version="1"} 7',
      'inferd_pipeline_state{model="m",part="circuit-breaker",kind="circuit-breaker",state="OPEN",version="1"} 1',
    ]);
  });
});
