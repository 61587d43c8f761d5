import { beforeEach, describe, expect, it } from 'vitest';
import { answerOf, failureOf, methodAt, type MethodNames } from '../testing/ask-service.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeStreamCall, FakeUnaryCall } from '../testing/fake-grpc-call.js';
import { FakeHealth } from '../testing/fake-health.js';
import { GRPC } from './grpc-status.js';
import { healthMethods } from './health-service.js';
import { messageCodec } from './message-codec.js';

const CHECK: MethodNames = {
  path: '/grpc.health.v1.Health/Check',
  request: 'grpc.health.v1.HealthCheckRequest',
  response: 'grpc.health.v1.HealthCheckResponse',
};
const WATCH = '/grpc.health.v1.Health/Watch';

const requests = messageCodec(CHECK.request);
const responses = messageCodec(CHECK.response);

let health: FakeHealth;
let catalog: FakeCatalog;

beforeEach(() => {
  health = new FakeHealth();
  catalog = new FakeCatalog();
});

describe('Health/Check', () => {
  async function check(service: string): Promise<unknown> {
    return (await answerOf(healthMethods(health, catalog), CHECK, { service }))['status'];
  }

  it.each(['', 'inference.GRPCInferenceService', 'nosuch'])(
    'answers for the server when asked for %j',
    async (service) => {
      expect(await check(service)).toBe('SERVING');

      health.ready = false;

      expect(await check(service)).toBe('NOT_SERVING');
    },
  );

  it('answers for a model by its name', async () => {
    catalog.serve(aServedModel({ name: 'ready' })).know('failed');

    expect(await check('ready')).toBe('SERVING');
    expect(await check('failed')).toBe('NOT_SERVING');
  });

  it('calls a model that is ready well while the server waits for others', async () => {
    catalog.serve(aServedModel({ name: 'm' }));
    health.ready = false;

    expect(await check('m')).toBe('SERVING');
  });

  it('looks anew at every call', async () => {
    catalog.serve(aServedModel({ name: 'm' }));
    expect(await check('m')).toBe('SERVING');

    catalog.withdraw('m');

    expect(await check('m')).toBe('NOT_SERVING');
  });

  it('refuses what is no message', async () => {
    const method = methodAt(healthMethods(health, catalog), CHECK.path);
    const call = new FakeUnaryCall(Buffer.of(0x0a, 9));

    if (method.kind === 'unary') method.handle(call);
    await call.ended;

    expect(call.failures).toMatchObject([{ code: GRPC.INVALID_ARGUMENT }]);
    expect(call.replies).toEqual([]);
  });

  it('says that the process lives, whatever becomes of its models and itself', async () => {
    health.stop();

    expect(await check('inferd/live')).toBe('SERVING');
  });

  it('refuses nothing for its name', async () => {
    await expect(
      failureOf(healthMethods(health, catalog), CHECK, { service: '../..\0' }),
    ).rejects.toThrow('the call did not fail');
  });
});

describe('Health/Watch', () => {
  function watch(service?: string): FakeStreamCall {
    const method = methodAt(healthMethods(health, catalog), WATCH);
    const call = new FakeStreamCall();
    if (method.kind === 'stream') method.handle(call);
    if (service !== undefined) call.write(requests.encode({ service }));
    return call;
  }

  function statuses({ sent }: FakeStreamCall): unknown[] {
    return sent.map((message) => responses.decode(message)['status']);
  }

  it('sends the status at once, and goes on', () => {
    catalog.serve(aServedModel({ name: 'm' }));

    const call = watch('m');

    expect(statuses(call)).toEqual(['SERVING']);
    expect([call.finished, call.failures]).toEqual([false, []]);
  });

  it('sends nothing before it knows what is asked for', () => {
    const call = watch();

    catalog.changed();

    expect([call.sent, call.failures, call.finished]).toEqual([[], [], false]);
  });

  it('sends the status when it has changed, and only then', () => {
    const call = watch('');

    catalog.changed();
    health.ready = false;
    catalog.changed();
    catalog.changed();
    health.ready = true;
    catalog.changed();

    expect(statuses(call)).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
  });

  it('follows a model from the time when nobody knew it', () => {
    const call = watch('m');

    catalog.know('m');
    catalog.changed();
    catalog.serve(aServedModel({ name: 'm' }));
    catalog.changed();
    catalog.withdraw('m');
    catalog.changed();

    expect(statuses(call)).toEqual(['SERVICE_UNKNOWN', 'NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });

  it.each(['nosuch', 'inference.GRPCInferenceService'])(
    'knows no service %s, which is no model',
    (service) => {
      expect(statuses(watch(service))).toEqual(['SERVICE_UNKNOWN']);
    },
  );

  it('follows each caller with what that caller asked for', () => {
    catalog.serve(aServedModel({ name: 'm' })).know('n');
    const [m, n] = [watch('m'), watch('n')];

    catalog.withdraw('m');
    catalog.changed();

    expect(statuses(m)).toEqual(['SERVING', 'NOT_SERVING']);
    expect(statuses(n)).toEqual(['NOT_SERVING']);
  });

  it('stops when the caller has gone, and leaves nothing behind', () => {
    const call = watch('');
    expect([catalog.listeners, health.listeners]).toEqual([1, 2]);

    call.cancel();
    health.ready = false;
    catalog.changed();
    health.stop();

    expect([catalog.listeners, health.listeners]).toEqual([0, 0]);
    expect([statuses(call), call.finished]).toEqual([['SERVING'], false]);
  });

  it('tells everybody when the server begins to stop, and ends when connections do', () => {
    catalog.serve(aServedModel({ name: 'm' })).know('n');
    const calls = ['', 'm', 'n'].map(watch);

    health.stop();
    catalog.changed();
    expect(calls.some(({ finished }) => finished)).toBe(false);
    health.endStreams();

    expect(calls.map(statuses)).toEqual([
      ['SERVING', 'NOT_SERVING'],
      ['SERVING', 'NOT_SERVING'],
      ['NOT_SERVING'],
    ]);
    expect(calls.map(({ finished }) => finished)).toEqual([true, true, true]);
    expect([catalog.listeners, health.listeners]).toEqual([0, 0]);
  });

  it('says no to who comes when the server stops already', () => {
    catalog.serve(aServedModel({ name: 'm' }));
    health.stop();

    expect([watch(''), watch('m')].map(statuses)).toEqual([['NOT_SERVING'], ['NOT_SERVING']]);
  });

  it('ends for a caller that has asked for nothing yet', () => {
    const call = watch();

    health.endStreams();

    expect([call.finished, health.listeners]).toEqual([true, 0]);
  });

  it('lets a caller go that has asked for nothing yet', () => {
    const call = watch();

    call.cancel();

    expect([catalog.listeners, health.listeners]).toEqual([0, 0]);
    expect(call.failures).toEqual([]);
  });

  it('holds a caller that asks again once', () => {
    catalog.serve(aServedModel({ name: 'm' }));
    const call = watch('');

    call.write(requests.encode({ service: 'm' }));
    call.cancel();

    expect([catalog.listeners, health.listeners]).toEqual([0, 0]);
  });

  it('refuses what is no message', () => {
    const call = watch();

    call.write(Buffer.of(0x0a, 9));

    expect(call.failures).toMatchObject([{ code: GRPC.INVALID_ARGUMENT }]);
    expect([call.sent, catalog.listeners, health.listeners]).toEqual([[], 0, 0]);
  });

  it('ends a call that never says what it is about', () => {
    const call = watch();

    call.halfClose();

    expect(call.finished || call.failures.length === 1).toBe(true);
  });
});
