// Documents that list what the code lists, held against it.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { runSubcommand } from './cli/subcommands.js';
import { modelConfigType } from './config/model-config-schema.js';
import { parseModelConfig } from './config/parse-model-config.js';
import { ensembleProblems } from './config/validate-ensemble.js';
import { ERROR_CODES } from './core/errors.js';
import { GRPC, GRPC_STATUS } from './frontend/grpc-status.js';
import { machineMetrics } from './observability/machine-metrics.js';
import { PIPELINE_METRICS } from './observability/pipeline-metrics.js';
import { modelMetrics } from './observability/model-metrics.js';
import { FakeSubcommandIo } from './testing/fake-subcommand-io.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

function sources(): string {
  const files = readdirSync(join(ROOT, 'runtime'), { recursive: true, encoding: 'utf8' });
  return files
    .filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !/^(testing|e2e)/.test(path),
    )
    .map((path) => readFileSync(join(ROOT, 'runtime', path), 'utf8'))
    .join('\n');
}

describe('docs/errors.md', () => {
  const rows = [
    ...readFileSync(join(ROOT, 'docs/errors.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \|/gm),
  ];

  it('lists every code, in the order of the code', () => {
    expect(rows.map((row) => row[1])).toEqual([...ERROR_CODES]);
  });

  it('names the status of each', () => {
    for (const [, code, status] of rows)
      expect([code, GRPC[status as keyof typeof GRPC]]).toEqual([
        code,
        GRPC_STATUS[code as keyof typeof GRPC_STATUS],
      ]);
  });

  it.each(ERROR_CODES)('%s is raised somewhere', (code) => {
    const raised = new RegExp(`(RuntimeError|super|invalid)\\(\\s*'${code}'`);

    expect(sources()).toMatch(raised);
  });
});

describe('docs/configuration.md', () => {
  const document = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const section = /## Beyond Triton\n([^]*?)\n## /.exec(document)![1]!;
  const fields = new Set<string>();
  const visit = (field: protobuf.Field): void => {
    if (fields.has(field.name)) return;
    fields.add(field.name);
    const { resolvedType } = field.resolve();
    if (resolvedType instanceof protobuf.Type) resolvedType.fieldsArray.forEach(visit);
  };
  const ours = (type: protobuf.Type): void =>
    type.fieldsArray.filter(({ id }) => id > 1000).forEach(visit);
  ours(modelConfigType());
  ours(modelConfigType().root.lookupType('inference.ModelEnsembling.Step'));

  it.each([...fields])('names the field %s, which Triton has not', (name) => {
    expect(section).toContain(`\`${name}`);
  });
});

describe('docs/ensembles.md', () => {
  it('has an example that is valid', () => {
    const document = readFileSync(join(ROOT, 'docs/ensembles.md'), 'utf8');
    const { message, problems } = parseModelConfig(/```\n(platform[^`]*)```/.exec(document)![1]!);

    expect([problems, ensembleProblems({ name: 'e', ...message })]).toEqual([[], []]);
  });
});

describe('docs/metrics.md', () => {
  const document = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const documented = [...document.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(
    ([, name, type]) => `${name!} ${type!}`,
  );

  it('lists every family of models and pipelines with its type, in the order in which they are shown', () => {
    const options = { counterLatencies: true, summaryQuantiles: [], now: () => 0 };

    expect(
      documented.filter(
        (family) => !/^nv_cpu|^inferd_response_cache|^process|^nodejs/.test(family),
      ),
    ).toEqual(
      [...modelMetrics(options), ...PIPELINE_METRICS].map(({ name, type }) => `${name} ${type}`),
    );
  });

  it('lists the metrics of the machine and of the response cache', async () => {
    const cacheUsage = (): { entries: number; bytes: number } => ({ entries: 0, bytes: 0 });
    const machine = await machineMetrics({ cpu: true, cacheUsage }).getMetricsAsJSON();
    const ours = machine
      .map(({ name, type }) => `${name} ${type}`)
      .filter((family) => /^nv_cpu|^inferd/.test(family));

    expect(documented.filter((family) => /^nv_cpu|^inferd_response_cache/.test(family))).toEqual(
      ours,
    );
  });
});

describe('docs/operations.md', () => {
  it('lists every subcommand', async () => {
    const document = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const io = new FakeSubcommandIo();

    await runSubcommand(['help'], io, { checkRepository: () => Promise.reject(new Error()) });

    const commands = [...io.shown.matchAll(/^ {2}(\w+) {2,}[A-Z]/gm)].map(([, name]) => name!);
    expect([...document.matchAll(/^\| `inferd (\w+)/gm)].map(([, name]) => name!)).toEqual(
      commands.filter((name) => name !== 'help'),
    );
  });
});

describe('README.md', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

  it('has the two commands, literally', () => {
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });

  it.each([...readme.matchAll(/\]\(((?!https?:)[^)#]+)/g)].map((match) => match[1]!))(
    'links to %s, which exists',
    (path) => {
      expect(() =>
        readFileSync(join(ROOT, path, path.endsWith('/') ? 'README.md' : '')),
      ).not.toThrow();
    },
  );
});
