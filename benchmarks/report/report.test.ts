import { describe, expect, it } from 'vitest';
import { withFigures } from './docs-table.js';
import type { BenchResult, PointFigures, PointResult } from './result.js';
import { disturbances, resultRow, resultTable } from './result-table.js';
import { verdicts } from './targets.js';
import { markdownTable, terminalTable } from './text-table.js';

function aPoint(point: string, more: Partial<PointFigures> = {}, work = 'tiny'): PointResult {
  const server = { requestsPerSecond: 30_456.7, p50Us: 812, p99Us: 10_456, cpuUs: 31.4 };
  const figures = {
    echo: { ...server, requestsPerSecond: 40_000 },
    inferd: server,
    toEcho: { median: 0.761, lowest: 0.7, highest: 0.8 },
    meanBatch: 31.96,
    othersCores: 0.02,
    ...more,
  };
  return { work, title: 'a model', point, requests: 1000, figures };
}

function aResult(points: readonly PointResult[]): BenchResult {
  return {
    date: '2026-11-20T10:00:00.000Z',
    machine: { processor: 'P', cores: 2, node: '20.1.0', grpcJs: '1.2.3', onnxRuntime: '1.30.0' },
    loader: 'h2load',
    repetitions: 5,
    points,
    skipped: ['resnet50 was skipped: it is not there'],
  };
}

const ORT = { rowsPerSecond: 9000, ratio: { median: 0.9, lowest: 0.88, highest: 0.91 } };

describe('tables of text', () => {
  const table = { head: ['', 'n'], rows: [['one', '1'], ['thousand', '1000']] }; // prettier-ignore

  it('align text left and numbers right in a terminal', () => {
    expect(terminalTable(table)).toBe('             n\none          1\nthousand  1000\n');
  });

  it('are tables in Markdown', () => {
    expect(markdownTable(table)).toBe(
      '|  | n |\n| --- | ---: |\n| one | 1 |\n| thousand | 1000 |\n',
    );
  });
});

describe('resultTable', () => {
  it('has as many columns in each row as in its head', () => {
    const { head, rows } = resultTable([aPoint('1x1'), { ...aPoint('4x1'), error: 'lost' }]);

    expect(rows.map((row) => row.length)).toEqual([head.length, head.length]);
  });

  it('tells figures no finer than they are', () => {
    expect(resultRow(aPoint('4x16', { ort: ORT })).slice(0, 8)).toEqual([
      'tiny 4×16',
      '30,457',
      '0.76 (0.70–0.80)',
      '0.90 (0.88–0.91)',
      '32.0',
      '0.81',
      '10.5',
      '31',
    ]);
  });

  it('has no figures of a point that failed', () => {
    const { work, title, point, requests } = aPoint('4x16');

    const row = resultRow({ work, title, point, requests, error: 'a request was lost' });

    expect(row.slice(0, 3)).toEqual(['tiny 4×16', 'error: a request was lost', '']);
  });
});

describe('disturbances', () => {
  it('names the points at which others used the machine', () => {
    const points = [aPoint('1x1'), aPoint('4x1', { othersCores: 0.5 })];

    expect(disturbances(points)).toEqual(['tiny 4x1: other processes kept 0.50 cores busy']);
  });
});

describe('verdicts', () => {
  it('hold the points that have a target against it', () => {
    const points = [aPoint('1x1'), aPoint('4x16'), aPoint('4x16', { ort: ORT }, 'mid')];

    expect(verdicts(points)).toEqual([
      'tiny 4x16: 0.76 of the echo, wanted 0.7: met',
      'mid 4x16: 0.90 of the loop over ONNX Runtime, wanted 0.95: missed',
    ]);
  });
});

describe('withFigures', () => {
  const document =
    'before\n<!-- written by `npm run bench -- --docs` -->\nold\n<!-- end -->\nafter\n';

  it('exchanges what stands between the comments', () => {
    const text = withFigures(document, aResult([aPoint('4x16')]));

    expect(text).toMatch(/^before\n<!--[^]*\n\n2026-11-20, P, 2 cores, Node\.js 20\.1\.0, /);
    expect(text).toContain('| tiny 4×16 | 30,457 |');
    expect(text).toContain('- resnet50 was skipped');
    expect(text).toMatch(/\n<!-- end -->\nafter\n$/);
    expect(text).not.toContain('old');
  });

  it('can do so again', () => {
    const result = aResult([aPoint('4x16')]);

    expect(withFigures(withFigures(document, result), result)).toBe(withFigures(document, result));
  });

  it('refuses a document without a place for figures', () => {
    expect(() => withFigures('nothing', aResult([]))).toThrow('the document has no');
  });
});
