import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerOf, failureOf, inferenceNames } from '../testing/ask-service.js';
import { HAS_SHARED_MEMORY, SharedMemoryFile } from '../testing/shared-memory-file.js';
import { GRPC } from './grpc-status.js';
import type { Message } from './message-codec.js';
import { sharedMemoryMethods } from './shared-memory-service.js';
import { SharedMemory } from './shared-memory.js';

const DISABLED =
  "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.";

describe('calls of shared memory where clients may not register any', () => {
  const methods = sharedMemoryMethods(new SharedMemory(), false);

  it.each(
    ['System', 'Cuda'].flatMap((kind) => [
      `${kind}SharedMemoryRegister`,
      `${kind}SharedMemoryUnregister`,
    ]),
  )('refuse %s and say how to allow it', async (name) => {
    const refused = await failureOf(methods, inferenceNames(name), { name: 'r' });

    expect(refused).toEqual({ code: GRPC.UNIMPLEMENTED, message: DISABLED });
  });

  it.each([
    ['System', 'system'],
    ['Cuda', 'cuda'],
  ])('show that there is none: %s', async (kind, calls) => {
    const status = inferenceNames(`${kind}SharedMemoryStatus`);

    expect(await answerOf(methods, status)).toEqual({ regions: {} });
    expect(await failureOf(methods, status, { name: 'r' })).toEqual({
      code: GRPC.NOT_FOUND,
      message: `Unable to find ${calls} shared memory region: 'r'`,
    });
  });
});

describe.skipIf(!HAS_SHARED_MEMORY)('calls of system shared memory', () => {
  let file: SharedMemoryFile;
  const memory = new SharedMemory();
  const methods = sharedMemoryMethods(memory, true);
  beforeEach(() => void (file = new SharedMemoryFile(Buffer.alloc(64))));
  afterEach(() => {
    memory.unregisterAll();
    file.remove();
  });

  const call = (verb: string, request: Message = {}): Promise<Message> =>
    answerOf(methods, inferenceNames(`SystemSharedMemory${verb}`), request);

  it('refuse keys of the regions of a Python backend', async () => {
    const key = 'triton_python_backend_shm_region_1';
    const register = inferenceNames('SystemSharedMemoryRegister');

    expect(await failureOf(methods, register, { name: 'r', key, byte_size: 64 })).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message: `cannot register shared memory region 'r' with key '${key}' as the key contains the reserved prefix 'triton_python_backend_shm_region_'`,
    });
  });

  it('register, show and forget regions', async () => {
    for (const name of ['a', 'b', '__proto__'])
      await call('Register', { name, key: file.key, offset: 16, byte_size: 32 });

    const region = { key: file.key, offset: 16, byte_size: 32 };
    expect((await call('Status', { name: 'a' }))['regions']).toEqual({
      a: { ...region, name: 'a' },
    });
    expect(memory.list().map(({ name }) => name)).toEqual(['a', 'b', '__proto__']);
    await call('Unregister', { name: 'a' });
    await call('Unregister', { name: 'a' });
    expect((await call('Status'))['regions']).toMatchObject({ b: { ...region, name: 'b' } });
    await call('Unregister');
    expect((await call('Status'))['regions']).toEqual({});
  });

  it('refuse a region without a name, because none can be named by that', async () => {
    const names = inferenceNames('SystemSharedMemoryRegister');

    expect(await failureOf(methods, names, { key: file.key, byte_size: 1 })).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message: 'a shared memory region needs a name',
    });
  });
});

describe('calls of CUDA shared memory', () => {
  const methods = sharedMemoryMethods(new SharedMemory(), true);

  it('refuse to register any', async () => {
    const names = inferenceNames('CudaSharedMemoryRegister');

    expect(await failureOf(methods, names, { name: 'r' })).toEqual({
      code: GRPC.INVALID_ARGUMENT,
      message: "failed to register CUDA shared memory region: 'r', GPUs not supported",
    });
  });

  it('forget what is not there', async () => {
    const names = inferenceNames('CudaSharedMemoryUnregister');

    expect(await answerOf(methods, names, { name: 'r' })).toEqual({});
  });
});
