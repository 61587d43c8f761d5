// Sends tens of thousands of broken requests to one living server, good ones among them. FUZZ_SEED chooses others, FUZZ_REQUESTS
// how many, FUZZ_ONLY=number,number sends just those. The default seed is fixed, so that a commit that changes nothing cannot fail.

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Campaign } from './fuzz/campaign.js';
import { Connections } from './fuzz/connections.js';
import { KINDS } from './fuzz/fuzz-case.js';
import { GOLDEN_REPOSITORY, createFuzzRepository } from './fuzz/fuzz-repository.js';
import type { Outcome } from './fuzz/outcome.js';
import { CONTROL_CALL, INFER, REFUSED, faultOf } from './fuzz/rules.js';
import { Tally } from './fuzz/tally.js';
import { TestClient } from './harness/test-client.js';
import { TestServer, type LogLine } from './harness/test-server.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const COUNT = Number(process.env['FUZZ_REQUESTS'] ?? 60_000);
const ONLY = process.env['FUZZ_ONLY']?.split(',').map(Number);
const NUMBERS = ONLY ?? Array.from({ length: COUNT }, (_, number) => number);

/** With so many, each kind must have been among them. */
const ENOUGH_FOR_ALL = 20_000;

/**
 * The server with its models takes a quarter of this, and the largest request, of 64 MiB, is in memory a few times while it is
 * decompressed. What 60,000 requests may leave behind is less than 16 KiB each: a leak of a whole request would show.
 */
const RSS_LIMIT_BYTES = 1024 ** 3;

const ERROR_LEVEL = 50;
/** What operators are told of load calls with configurations that are none. */
const REFUSED_LOAD = [
  /^load parameters 'file:…' need the parameter 'config'$/,
  /^the configuration is not JSON: /,
  /^expected an object \(message ModelConfig\), got /,
  /^[a-z_.[\]\d]+: expected a value of type \w+, got /,
];

describe('broken requests', () => {
  const repository = createFuzzRepository();
  const tally = new Tally();
  let server: TestServer;
  let client: TestClient;
  let pid: number;

  beforeAll(async () => {
    const more = `--model-repository=${repository.path}`;
    const flags = [
      more,
      '--model-control-mode=explicit',
      '--load-model=*',
      '--allow-client-shm=true',
    ];
    server = await TestServer.start({ repository: GOLDEN_REPOSITORY, flags });
    client = new TestClient(server.ports.grpc);
    pid = server.pid;
  });

  afterAll(() => {
    client.close();
    server.signal('SIGKILL');
    repository.remove();
  });

  it('end in a status each, and cost no good request its answer', async () => {
    const connections = new Connections(server.ports.grpc!);
    const isOver = (): boolean => !server.isUp;
    const campaign = new Campaign(connections, tally, { seed: SEED, numbers: NUMBERS, isOver });
    const startedAt = performance.now();
    await campaign.run();
    const seconds = (performance.now() - startedAt) / 1000;
    connections.close();

    process.stdout.write(`seed ${SEED}, ${seconds.toFixed(0)} s\n${tally.toString()}\n`);
    expect(campaign.findings.join('\n\n'), `seed ${SEED}`).toBe('');
  });

  it.skipIf(NUMBERS.length < ENOUGH_FOR_ALL)('were of every kind', () => {
    expect([...KINDS].filter((kind) => !tally.kinds.has(kind))).toEqual([]);
  });

  it.skipIf(NUMBERS.length < ENOUGH_FOR_ALL)(
    'made models fail that served others beside',
    async () => {
      for (const name of ['gather', 'text_to_number']) {
        const { model_stats: models } = await client.call('ModelStatistics', { name });
        const [{ inference_stats: statistics }] = models as [
          { inference_stats: Record<'success' | 'fail', { count: number }> },
        ];

        expect(statistics.fail.count, name).toBeGreaterThan(0);
        expect(statistics.success.count, name).toBeGreaterThan(0);
      }
    },
  );

  it('leave the server ready, as the process that it was', async () => {
    expect(server.isUp).toBe(true);
    expect(server.pid).toBe(pid);
    expect(await client.call('ServerReady')).toEqual({ ready: true });
    expect(await client.health('Check')).toEqual({ status: 'SERVING' });
  });

  it.skipIf(!existsSync('/proc/self/status'))('leave no memory taken', () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);

    expect(kilobytes * 1024).toBeLessThan(RSS_LIMIT_BYTES);
  });

  it('leave no error in the log but refused loads, and nothing beside it', () => {
    const errors = server.log.filter(({ level }) => level >= ERROR_LEVEL);
    const isRefusedLoad = ({ msg, model }: LogLine): boolean =>
      typeof model === 'string' && REFUSED_LOAD.some((text) => text.test(msg));
    expect(errors.filter((line) => !isRefusedLoad(line))).toEqual([]);
    expect(server.log.filter(({ msg }) => /\bbug\b/i.test(msg))).toEqual([]);
    expect(server.output).toEqual([]);
  });

  it('let the server end as always', async () => {
    expect(await server.stop()).toBe(0);
  });
});

describe('the judge of broken requests', () => {
  const status = (code: number, details: string): Outcome => ({ end: 'status', code, details });

  it.each<[string, Outcome]>([
    ['a call that hangs', { end: 'hung' }],
    ['a connection that closes', { end: 'closed', reason: 'reset' }],
    ['a refusal by HTTP', { end: 'http', status: 500 }],
    ['UNKNOWN', status(2, 'no idea')],
    ['UNAVAILABLE', status(14, 'executor thread failed: it exited')],
    ['INTERNAL', status(13, "Cannot read properties of undefined (reading 'x')")],
    ['an empty text', status(3, '')],
    ['a NUL', status(3, "no model 'a\0b'")],
    ['an escape sequence', status(5, "no model '\u001b[31m'")],
    ['a very long text', status(3, 'x'.repeat(10_000))],
  ])('would notice %s', (_what, outcome) => {
    expect(faultOf(outcome, INFER)).toBeDefined();
  });

  it('would notice an answer to what must be refused', () => {
    expect(faultOf(status(0, ''), REFUSED)).toBeDefined();
  });

  it.each<[string, Outcome]>([
    ['a refusal', status(3, 'unexpected shape')],
    ['values that ONNX Runtime fails on', status(13, 'onnx runtime error: out of bounds')],
  ])('accepts %s', (_what, outcome) => {
    expect(faultOf(outcome, INFER)).toBeUndefined();
  });

  it('accepts what Triton says of a load of a model that is nowhere', () => {
    const text = "failed to load 'x', failed to poll from model repository";

    expect(faultOf(status(13, text), CONTROL_CALL)).toBeUndefined();
  });
});
