import { describe, expect, it } from 'vitest';
import { durationsFromLog, h2loadArguments, requestsPerSecondFrom } from './h2load.js';

const OUTPUT = `starting benchmark...
progress: 100% done

finished in 201.07ms, 19893.37 req/s, 1.88MB/s
requests: 4000 total, 4000 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx
                     min         max         mean         sd        +/- sd
time for request:      991us      8.21ms      3.12ms      1.05ms    71.20%
req/s           :    4989.60     5069.18     5022.90       36.52    75.00%
`;

describe('requestsPerSecondFrom', () => {
  it('reads the rate of a whole run', () => {
    expect(requestsPerSecondFrom(OUTPUT, 4000)).toBe(19893.37);
  });

  it.each([
    ['requests failed', OUTPUT.replace('4000 succeeded', '3999 succeeded'), '3999 of 4000'],
    ['there is no such text', 'unknown option', 'none of 4000'],
  ])('refuses a run in which %s', (_what, output, text) => {
    expect(() => requestsPerSecondFrom(output, 4000)).toThrow(text);
  });
});

describe('durationsFromLog', () => {
  it('takes the last column, ascending', () => {
    const log =
      '1795213406322235\t200\t3345\n1795213406322236\t200\t98\n1795213406322237\t200\t400\n';

    expect(durationsFromLog(log)).toEqual([98, 400, 3345]);
  });
});

describe('h2loadArguments', () => {
  const task = { port: 8001, bodyFile: 'body', requests: 100 };

  it('says how many requests come from where', () => {
    const args = h2loadArguments({ ...task, point: { connections: 4, streams: 16 } }, 'log');

    expect(args.join(' ')).toContain('-n 100 -c 4 -m 16 ');
    expect(args.at(-1)).toBe('http://127.0.0.1:8001/inference.GRPCInferenceService/ModelInfer');
  });

  it('opens no connection that would have nothing to send', () => {
    const args = h2loadArguments(
      { ...task, requests: 3, point: { connections: 4, streams: 1 } },
      'l',
    );

    expect(args.join(' ')).toContain('-n 3 -c 3 ');
  });
});
