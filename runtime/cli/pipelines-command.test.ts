import type { LegFigures, ModelPipeline, PipelineNode } from 'inferd-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSubcommandIo, runCommand } from '../testing/fake-subcommand-io.js';
import { pipelinesCommand } from './pipelines-command.js';

const FIGURES: LegFigures = {
  ...{ sent: 1200, answered: 1190, failed: 4, timedOut: 1, abandoned: 6, rows: 2400 },
  ...{ meanMicroseconds: 500, p50Microseconds: 450, p99Microseconds: 9000 },
};

function aNode(overrides: Partial<PipelineNode>): PipelineNode {
  return {
    ...{ kind: 'step', name: '', state: '', settings: {} },
    ...{ counters: [], children: [], after: [] },
    ...overrides,
  };
}

const DIAMOND: ModelPipeline = {
  name: 'whole',
  version: '3',
  root: aNode({
    kind: 'ensemble',
    children: [
      aNode({ name: '0', model: { name: 'left', version: '2' }, figures: FIGURES }),
      aNode({ name: '1', model: { name: 'right', version: '' }, settings: { timeout: '5 ms' } }),
      aNode({ name: '2', model: { name: 'join "it"', version: '' }, after: ['0', '1'] }),
    ],
  }),
};

const GUARDED: ModelPipeline = {
  name: 'guarded',
  version: '1',
  root: aNode({
    ...{ kind: 'circuit-breaker', state: 'OPEN' },
    counters: [{ name: 'exits', labels: { rule: '0', decision: 'spam' }, value: 12_000 }],
    children: [aNode({ kind: 'model', name: 'guarded', model: { name: 'guarded', version: '1' } })],
  }),
};

describe('inferd pipelines', () => {
  let io: FakeSubcommandIo;
  let asked: unknown[];
  const run = (pipelines: readonly ModelPipeline[], ...args: string[]): Promise<void> => {
    const source = {
      pipelines: (...of: unknown[]) => {
        asked = of;
        return Promise.resolve(pipelines);
      },
      close: () => undefined,
    };
    return runCommand(
      pipelinesCommand(io, () => source),
      ...args,
    );
  };

  beforeEach(() => {
    io = new FakeSubcommandIo();
  });

  it('draws the tree, and beside each part what has become of its requests', async () => {
    await run([DIAMOND, GUARDED]);

    expect(io.shown.split('\n')).toEqual([
      'whole version 3',
      'ensemble',
      '├─ step 0  left:2     1,200 sent · 3 failed · 1 timed out · 6 given up · 2,400 rows · p50 450 µs · p99 9.00 ms',
      '├─ step 1  right      timeout 5 ms',
      '└─ step 2  join "it"',
      '',
      'guarded version 1',
      'circuit-breaker      OPEN',
      '│  exits 0 spam      12,000',
      '└─ model  guarded:1',
      '',
    ]);
  });

  it('draws for Mermaid who waits for whom', async () => {
    await run([DIAMOND], 'whole', '3', '--format', 'mermaid');

    expect(asked).toEqual(['whole', { version: '3' }]);
    expect(io.shown).toContain('n3["step 2  join &quot;it&quot;"]');
    expect(io.shown.split('\n').filter((line) => line.includes('-->'))).toEqual([
      '  n0 --> n1',
      '  n0 --> n2',
      '  n1 --> n3',
      '  n2 --> n3',
    ]);
  });

  it('draws for Graphviz', async () => {
    await run([DIAMOND], 'whole', '--format', 'dot');

    expect(io.shown).toMatch(/^digraph "whole:3" \{\n/);
    expect(io.shown).toContain('n3 [label="step 2  join \\"it\\""];');
    expect(io.shown).toContain('  n2 -> n3;\n}\n');
  });

  it('gives programs all there is', async () => {
    await run([DIAMOND], '--json');

    expect(JSON.parse(io.shown)).toEqual({ pipelines: [DIAMOND] });
  });

  it('says when there is nothing to draw', async () => {
    await run([]);

    expect(io.shown).toBe('No model that is ready asks others or has a policy around it.\n');
  });
});
