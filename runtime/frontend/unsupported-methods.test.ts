import { describe, expect, it } from 'vitest';
import { FakeUnaryCall } from '../testing/fake-grpc-call.js';
import { GRPC } from './grpc-status.js';
import type { GrpcMethod } from './grpc-transport.js';
import { unsupportedMethods } from './unsupported-methods.js';

const SERVICE = '/inference.GRPCInferenceService/';

/** What a call of the method is told, whatever it brings. */
function refusals(method: GrpcMethod): unknown {
  const call = new FakeUnaryCall(Buffer.of(0xff));
  if (method.kind === 'unary') method.handle(call);
  return call.failures;
}

describe('unsupportedMethods', () => {
  it('are those of shared memory', () => {
    const methods = unsupportedMethods({ allowClientSharedMemory: false });

    expect(methods.map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      `unary ${SERVICE}CudaSharedMemoryRegister`,
      `unary ${SERVICE}CudaSharedMemoryStatus`,
      `unary ${SERVICE}CudaSharedMemoryUnregister`,
      `unary ${SERVICE}SystemSharedMemoryRegister`,
      `unary ${SERVICE}SystemSharedMemoryStatus`,
      `unary ${SERVICE}SystemSharedMemoryUnregister`,
    ]);
  });

  it.each([
    [
      false,
      "Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.",
    ],
    [true, 'Client shared memory is not supported by this version of inferd.'],
  ])('say why there is no shared memory where it is allowed: %s', (allowed, message) => {
    const methods = unsupportedMethods({ allowClientSharedMemory: allowed });

    for (const method of methods)
      expect(refusals(method)).toEqual([{ code: GRPC.UNIMPLEMENTED, message }]);
  });
});
