import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { FakeStreamCall, FakeUnaryCall } from '../testing/fake-grpc-call.js';
import type { ProtocolCategory } from '../core/protocol-category.js';
import { GRPC } from './grpc-status.js';
import type { GrpcMethod, StreamCall, UnaryCall } from './grpc-transport.js';
import { PROTO_DIRECTORY, PROTO_FILES } from './message-codec.js';
import { RESTRICTABLE, restrictMethods, type Restriction } from './restricted-methods.js';

const INFERENCE = 'inference.GRPCInferenceService';
const HEALTH = 'grpc.health.v1.Health';
const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

interface Method {
  readonly method: GrpcMethod;
  /** Calls that came through. */
  readonly handled: (UnaryCall | StreamCall)[];
}

function aMethod(path: string, kind: GrpcMethod['kind'] = 'unary'): Method {
  const handled: (UnaryCall | StreamCall)[] = [];
  const handle = (call: UnaryCall | StreamCall): void => void handled.push(call);
  return { method: { path, kind, handle }, handled };
}

/** Calls `name` with this metadata under these restrictions. */
function call(
  name: string,
  restrictions: readonly Restriction[],
  metadata: Record<string, string> = {},
): { handled: boolean; failures: unknown } {
  const { method, handled } = aMethod(`/${INFERENCE}/${name}`);
  const [restricted] = restrictMethods([method], restrictions);
  const made = new FakeUnaryCall(Buffer.alloc(0), { metadata });
  if (restricted?.kind === 'unary') restricted.handle(made);
  expect(handled).toEqual(made.failures.length === 0 ? [made] : []);
  return { handled: handled.length > 0, failures: made.failures };
}

const ADMIN: Restriction = { categories: ['model-repository'], key: 'Admin', value: 'secret' };
const HEADER = 'triton-grpc-protocol-admin';

/** Every call of the protocol by name. */
function protocolCalls(): string[] {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => PROTO_DIRECTORY + target;
  root.loadSync([...PROTO_FILES]);
  return [INFERENCE, HEALTH].flatMap((name) => Object.keys(root.lookupService(name).methods));
}

describe('restrictMethods', () => {
  it('lets a call through that shows the secret', () => {
    expect(call('RepositoryIndex', [ADMIN], { [HEADER]: 'secret' })).toEqual({
      handled: true,
      failures: [],
    });
  });

  it.each([
    ['no header', {}],
    ['another secret', { [HEADER]: 'Secret' }],
    ['the beginning of the secret', { [HEADER]: 'secre' }],
    ['an empty secret', { [HEADER]: '' }],
    ['the secret in the header of another key', { 'triton-grpc-protocol-other': 'secret' }],
    ['the secret in a header without the prefix', { admin: 'secret' }],
  ])('refuses a call with %s, in the words of Triton', (_what, metadata) => {
    expect(call('RepositoryModelLoad', [ADMIN], metadata)).toEqual({
      handled: false,
      failures: [
        {
          code: GRPC.UNAVAILABLE,
          message: "This protocol is restricted, expecting header 'triton-grpc-protocol-Admin'",
        },
      ],
    });
  });

  it('asks for the header even where the secret is empty', () => {
    const open = { ...ADMIN, value: '' };

    expect(call('RepositoryIndex', [open]).handled).toBe(false);
    expect(call('RepositoryIndex', [open], { [HEADER]: '' }).handled).toBe(true);
  });

  it('asks each category for its own secret', () => {
    const restrictions: Restriction[] = [
      ADMIN,
      { categories: ['health', 'inference'], key: 'k', value: 'v' },
    ];
    const k = { 'triton-grpc-protocol-k': 'v' };

    expect(call('RepositoryIndex', restrictions, k).handled).toBe(false);
    expect(call('ModelInfer', restrictions, k).handled).toBe(true);
    expect(call('ServerLive', restrictions, k).handled).toBe(true);
    expect(call('ServerLive', restrictions, { [HEADER]: 'secret' }).handled).toBe(false);
  });

  it('guards streams as well', () => {
    const { method, handled } = aMethod(`/${HEALTH}/Watch`, 'stream');
    const [restricted] = restrictMethods([method], [{ ...ADMIN, categories: ['health'] }]);
    const refused = new FakeStreamCall();
    const admitted = new FakeStreamCall({ metadata: { [HEADER]: 'secret' } });

    if (restricted?.kind === 'stream') {
      restricted.handle(refused);
      restricted.handle(admitted);
    }

    expect(handled).toEqual([admitted]);
    expect(refused.failures).toMatchObject([{ code: GRPC.UNAVAILABLE }]);
    expect(admitted.failures).toEqual([]);
  });

  it('returns what no restriction names as it is, in its place', () => {
    const methods = [
      aMethod(`/${INFERENCE}/ModelInfer`).method,
      aMethod(`/${INFERENCE}/RepositoryIndex`).method,
      aMethod(REFLECTION, 'stream').method,
    ];

    const [infer, index, reflection] = restrictMethods(methods, [ADMIN]);

    expect(infer).toBe(methods[0]);
    expect(reflection).toBe(methods[2]);
    expect(index).not.toBe(methods[1]);
    expect(index).toMatchObject({ path: methods[1]!.path, kind: 'unary' });
  });

  it('restricts nothing unless it is told to', () => {
    const methods = protocolCalls().map((name) => aMethod(`/${INFERENCE}/${name}`).method);

    expect(restrictMethods(methods, [])).toEqual(methods);
  });
});

describe('the categories', () => {
  it('hold every call of the protocol exactly once', () => {
    const restrictable = Object.values(RESTRICTABLE).flat();

    expect([...restrictable].sort()).toEqual(protocolCalls().sort());
  });

  it.each<[ProtocolCategory, string[]]>([
    ['health', ['ServerLive', 'ServerReady', 'ModelReady', 'Check', 'Watch']],
    ['metadata', ['ServerMetadata', 'ModelMetadata']],
    ['inference', ['ModelInfer', 'ModelStreamInfer']],
    ['model-config', ['ModelConfig']],
    ['model-repository', ['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload']],
    ['statistics', ['ModelStatistics']],
    ['trace', ['TraceSetting']],
    ['logging', ['LogSettings']],
    [
      'shared-memory',
      ['System', 'Cuda'].flatMap((memory) =>
        ['Status', 'Register', 'Unregister'].map((what) => `${memory}SharedMemory${what}`),
      ),
    ],
  ])('guard with %s exactly the calls that Triton guards with it', (category, names) => {
    const restriction = { categories: [category], key: 'k', value: 'v' };

    const guarded = protocolCalls().filter((name) => !call(name, [restriction]).handled);

    expect(guarded.sort()).toEqual([...names].sort());
  });
});
