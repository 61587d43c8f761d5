import { beforeEach, describe, expect, it } from 'vitest';
import { ServerLifecycle } from './server-lifecycle.js';
import { FakeClock } from './testing/fake-clock.js';

let clock: FakeClock;
let steps: string[];
let errors: string[];

beforeEach(() => {
  clock = new FakeClock();
  steps = [];
  errors = [];
});

function lifecycle({ drainDelayMs = 0, areModelsReady = true } = {}): ServerLifecycle {
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet };
  const error = (_fields: object, text: string): void => void errors.push(text);
  return new ServerLifecycle({
    clock,
    log: { ...log, error },
    drainDelayMs,
    areModelsReady: () => areModelsReady,
  });
}

function step(name: string): () => Promise<void> {
  return () => {
    steps.push(name);
    return Promise.resolve();
  };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('ServerLifecycle', () => {
  it('is ready from the start until it is stopped', async () => {
    const server = lifecycle();
    expect(server.isReady()).toBe(false);

    server.started();
    expect([server.isReady(), server.isStopping()]).toEqual([true, false]);

    await server.stop();
    expect([server.isReady(), server.isStopping()]).toEqual([false, true]);
  });

  it('is not ready while models are not', () => {
    const server = lifecycle({ areModelsReady: false });

    server.started();

    expect(server.isReady()).toBe(false);
  });

  it('stops in the reverse order of the start', async () => {
    const server = lifecycle();
    for (const name of ['threads', 'models', 'gRPC']) server.onStop(name, step(name));

    await server.stop();

    expect(steps).toEqual(['gRPC', 'models', 'threads']);
  });

  it('takes the next step when one fails, and tells of it', async () => {
    const server = lifecycle();
    server.onStop('models', step('models'));
    server.onStop('gRPC', () => Promise.reject(new Error('no')));

    await server.stop();

    expect([steps, errors]).toEqual([['models'], ['stopping failed: no']]);
  });

  it('stops once, however often it is told', async () => {
    const server = lifecycle();
    server.onStop('gRPC', step('gRPC'));

    await Promise.all([server.stop(), server.stop()]);

    expect(steps).toEqual(['gRPC']);
  });

  it('says at once that it stops, and goes on serving for the drain delay', async () => {
    const server = lifecycle({ drainDelayMs: 5000 });
    server.onStop('gRPC', step('gRPC'));
    server.started();
    server.onChange(() => steps.push(`stopping: ${server.isStopping()}`));

    const stopped = server.stop();
    expect(server.isReady()).toBe(false);
    await settle();
    clock.advance(4999);
    await settle();
    expect(steps).toEqual(['stopping: true']);
    clock.advance(1);
    await stopped;

    expect(steps).toEqual(['stopping: true', 'gRPC']);
  });

  it('does not wait where nobody was ever told to come', async () => {
    const server = lifecycle({ drainDelayMs: 5000 });
    server.onStop('models', step('models'));

    await server.stop();

    expect(steps).toEqual(['models']);
  });

  it('tells streams to end when it is asked to', () => {
    const server = lifecycle();
    const forget = server.onStreamsEnd(() => steps.push('first'));
    server.onStreamsEnd(() => steps.push('second'));

    forget();
    server.endStreams();

    expect(steps).toEqual(['second']);
  });
});
