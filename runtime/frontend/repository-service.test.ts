import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { LoadOverride, ModelControl, ModelIndexEntry } from '../core/model-control.js';
import { answerOf, failureOf, inferenceNames } from '../testing/ask-service.js';
import { GRPC } from './grpc-status.js';
import type { GrpcStatus } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { repositoryMethods } from './repository-service.js';

/** Remembers what it is told to do, and does it when `gate` opens. */
class FakeControl implements ModelControl {
  readonly log: string[] = [];
  readonly overrides: (LoadOverride | undefined)[] = [];
  entries: readonly ModelIndexEntry[] = [];
  gate: Promise<void> = Promise.resolve();

  index({ readyOnly }: { readyOnly: boolean }): Promise<readonly ModelIndexEntry[]> {
    this.log.push(readyOnly ? 'index of what is ready' : 'index');
    return Promise.resolve(this.entries);
  }

  load(name: string, override?: LoadOverride): Promise<void> {
    this.log.push(`load ${name}`);
    this.overrides.push(override);
    return this.gate;
  }

  unload(name: string): Promise<void> {
    this.log.push(`unload ${name}`);
    return this.gate;
  }

  isReady(): boolean {
    return true;
  }
}

let control: FakeControl;

beforeEach(() => {
  control = new FakeControl();
});

function ask(name: string, request: Message = {}): Promise<Message> {
  return answerOf(repositoryMethods(control), inferenceNames(name), request);
}

function refusal(name: string, request: Message = {}): Promise<GrpcStatus> {
  return failureOf(repositoryMethods(control), inferenceNames(name), request);
}

describe('RepositoryIndex', () => {
  it('lists versions with their state, and models that were never loaded by name alone', async () => {
    control.entries = [
      { name: 'm', version: 10, state: 'READY', reason: '', properties: { stage: 'beta' } },
      { name: 'm', version: 2, state: 'UNAVAILABLE', reason: 'unloaded' },
      { name: 'n', state: '', reason: '', loadFailure: 'no version' },
    ];

    const blank = { version: '', state: '', reason: '', properties: {}, load_failure: '' };
    expect(await ask('RepositoryIndex')).toEqual({
      models: [
        { ...blank, name: 'm', version: '10', state: 'READY', properties: { stage: 'beta' } },
        { ...blank, name: 'm', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' },
        { ...blank, name: 'n', load_failure: 'no version' },
      ],
    });
    expect(control.log).toEqual(['index']);
  });

  it('asks for no more than what is ready when the caller wants no more', async () => {
    await ask('RepositoryIndex', { ready: true });

    expect(control.log).toEqual(['index of what is ready']);
  });
});

describe('RepositoryModelLoad and RepositoryModelUnload', () => {
  it('do what they are named after, with the model that is named', async () => {
    expect(await ask('RepositoryModelLoad', { model_name: 'm' })).toEqual({});
    expect(await ask('RepositoryModelUnload', { model_name: 'n' })).toEqual({});

    expect(control.log).toEqual(['load m', 'unload n']);
  });

  it.each(['RepositoryModelLoad', 'RepositoryModelUnload'])(
    '%s answers when it is done',
    async (name) => {
      let open = (): void => undefined;
      control.gate = new Promise((resolve) => (open = resolve));
      let answered = false;

      const answer = ask(name, { model_name: 'm' }).then(() => (answered = true));
      // More turns than an answer takes that waits for nothing.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      expect([control.log.length, answered]).toEqual([1, false]);
      open();
      await answer;

      expect(answered).toBe(true);
    },
  );

  it.each([
    ['RepositoryModelLoad', 'CONTROL_REFUSED', GRPC.UNAVAILABLE],
    ['RepositoryModelLoad', 'INVALID_ARGUMENT', GRPC.INVALID_ARGUMENT],
    ['RepositoryModelUnload', 'CONTROL_REFUSED', GRPC.UNAVAILABLE],
  ] as const)('%s passes on what is said of it: %s', async (name, errorCode, code) => {
    control.gate = Promise.reject(new RuntimeError(errorCode, 'because'));

    expect(await refusal(name, { model_name: 'm' })).toEqual({ code, message: 'because' });
  });
});

describe('the repository calls', () => {
  it.each(['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload'])(
    '%s takes no repository_name',
    async (name) => {
      expect(await refusal(name, { repository_name: 'r', model_name: 'm' })).toEqual({
        code: GRPC.UNIMPLEMENTED,
        message: "'repository_name' specification is not supported",
      });
      expect(control.log).toEqual([]);
    },
  );
});

describe('load parameters', () => {
  it('bring a configuration and files in place of those of the repository', async () => {
    const parameters = {
      config: { string_param: '{}' },
      'file:1/model.onnx': { bytes_param: Buffer.of(1) },
      'file:labels.txt': { bytes_param: Buffer.of(2, 3) },
    };

    await ask('RepositoryModelLoad', { model_name: 'm', parameters });

    expect(control.overrides).toEqual([
      {
        config: '{}',
        files: new Map([
          ['1/model.onnx', Buffer.of(1)],
          ['labels.txt', Buffer.of(2, 3)],
        ]),
      },
    ]);
  });

  it('bring nothing when there are none', async () => {
    await ask('RepositoryModelLoad', { model_name: 'm' });

    expect(control.overrides).toEqual([undefined]);
  });

  it.each([
    [
      'config',
      { bool_param: true },
      GRPC.INVALID_ARGUMENT,
      "invalid value type for load parameter 'config', expected string_param.",
    ],
    [
      'config',
      {},
      GRPC.INVALID_ARGUMENT,
      "invalid value type for load parameter 'config', expected string_param.",
    ],
    [
      'file:1/model.onnx',
      { string_param: 'x' },
      GRPC.INVALID_ARGUMENT,
      "invalid value type for load parameter 'file:1/model.onnx', expected bytes_param.",
    ],
    ['mine', { string_param: 'x' }, GRPC.INVALID_ARGUMENT, "unrecognized load parameter 'mine'."],
    [
      '__proto__',
      { string_param: 'x' },
      GRPC.INVALID_ARGUMENT,
      "unrecognized load parameter '__proto__'.",
    ],
  ])('%s: %j is refused, and nothing is loaded', async (key, value, code, message) => {
    const parameters = Object.fromEntries([[key, value]]);

    expect(await refusal('RepositoryModelLoad', { model_name: 'm', parameters })).toEqual({
      code,
      message,
    });
    expect(control.log).toEqual([]);
  });
});

describe('unload parameters', () => {
  it.each([{ unload_dependents: { bool_param: true } }, { mine: { string_param: 'x' } }, {}])(
    '%j stand in nobody’s way',
    async (parameters) => {
      await ask('RepositoryModelUnload', { model_name: 'm', parameters });

      expect(control.log).toEqual(['unload m']);
    },
  );

  it('unload_dependents must be a bool', async () => {
    const parameters = { unload_dependents: { string_param: 'true' } };

    expect(await refusal('RepositoryModelUnload', { model_name: 'm', parameters })).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message: "invalid value type for 'unload_dependents' parameter, expected bool_param.",
    });
    expect(control.log).toEqual([]);
  });
});
