// The calls by which clients register shared memory. CUDA memory cannot be had, so no region of it is ever there. Texts: Triton's.

import { RuntimeError } from '../core/errors.js';
import type { GrpcMethod } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { inferenceMethod } from './server-service.js';
import type { RegionDescription } from './shared-memory-region.js';
import type { SharedMemory } from './shared-memory.js';

/** `isAllowed`: clients may register regions. */
export function sharedMemoryMethods(memory: SharedMemory, isAllowed: boolean): GrpcMethod[] {
  const register = (name: string, change: (request: Message) => void): GrpcMethod =>
    inferenceMethod(name, (request) => {
      if (!isAllowed) throw disabled();
      change(request);
      return {};
    });
  return [
    inferenceMethod('SystemSharedMemoryStatus', (request) => status(memory, request)),
    register('SystemSharedMemoryRegister', (request) => memory.register(descriptionFrom(request))),
    register('SystemSharedMemoryUnregister', ({ name }) => {
      if (name === '') memory.unregisterAll();
      else memory.unregister(String(name));
    }),
    inferenceMethod('CudaSharedMemoryStatus', ({ name }) => {
      if (name !== '') throw notFound('cuda', String(name));
      return {};
    }),
    register('CudaSharedMemoryRegister', ({ name }) => {
      const text = `failed to register CUDA shared memory region: '${String(name)}', GPUs not supported`;
      throw new RuntimeError('INVALID_ARGUMENT', text);
    }),
    register('CudaSharedMemoryUnregister', () => undefined),
  ];
}

// ---- details below; callers need not read ----

/** What Triton's Python backend names its own regions by. */
const RESERVED_KEYS = 'triton_python_backend_shm_region_';

function descriptionFrom({ name, key, offset, byte_size }: Message): RegionDescription {
  // '' stands for all regions where one is named.
  if (name === '')
    throw new RuntimeError('INVALID_ARGUMENT', 'a shared memory region needs a name');
  if (String(key).startsWith(RESERVED_KEYS)) {
    const text =
      `cannot register shared memory region '${String(name)}' with key '${String(key)}' as the key contains the reserved ` +
      `prefix '${RESERVED_KEYS}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  return {
    name: String(name),
    key: String(key),
    offset: Number(offset),
    byteSize: Number(byte_size),
  };
}

function status(memory: SharedMemory, { name }: Message): Message {
  const wanted = memory.list().filter((region) => name === '' || region.name === name);
  if (name !== '' && wanted.length === 0) throw notFound('system', String(name));
  const regions = wanted.map(({ name, key, offset, byteSize }) => [
    name,
    { name, key, offset, byte_size: byteSize },
  ]);
  return { regions: Object.fromEntries(regions) as Message };
}

function notFound(kind: string, name: string): RuntimeError {
  return new RuntimeError('NOT_FOUND', `Unable to find ${kind} shared memory region: '${name}'`);
}

function disabled(): RuntimeError {
  const text =
    "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.";
  return new RuntimeError('UNSUPPORTED', text);
}
