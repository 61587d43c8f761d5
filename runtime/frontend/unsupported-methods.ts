// Calls of the protocol that this version does not serve, each with the reason.

import { RuntimeError } from '../core/errors.js';
import type { GrpcMethod } from './grpc-transport.js';
import { failingMethod } from './unary-method.js';

const SYSTEM_MEMORY = ['Status', 'Register', 'Unregister'].map(
  (name) => `SystemSharedMemory${name}`,
);
const CUDA_MEMORY = ['Status', 'Register', 'Unregister'].map((name) => `CudaSharedMemory${name}`);

export function unsupportedMethods(options: {
  readonly allowClientSharedMemory: boolean;
}): GrpcMethod[] {
  const sharedMemory = options.allowClientSharedMemory
    ? 'Client shared memory is not supported by this version of inferd.'
    : "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.";
  const error = new RuntimeError('UNSUPPORTED', sharedMemory);
  return [...SYSTEM_MEMORY, ...CUDA_MEMORY].map((name) =>
    failingMethod(`/inference.GRPCInferenceService/${name}`, error),
  );
}
