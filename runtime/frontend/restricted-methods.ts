// --grpc-restricted-protocol: calls of some categories are refused unless a header carries a shared secret. Categories, header and
// text are Triton's.

import type { ProtocolCategory } from '../core/protocol-category.js';
import { GRPC } from './grpc-status.js';
import type { GrpcCall, GrpcMethod, StreamCall, UnaryCall } from './grpc-transport.js';

/** Which calls need which header. */
export interface Restriction {
  readonly categories: readonly ProtocolCategory[];
  readonly key: string;
  readonly value: string;
}

export const RESTRICTABLE: Readonly<Record<ProtocolCategory, readonly string[]>> = {
  health: ['ServerLive', 'ServerReady', 'ModelReady', 'Check', 'Watch'],
  metadata: ['ServerMetadata', 'ModelMetadata'],
  inference: ['ModelInfer', 'ModelStreamInfer'],
  'shared-memory': [
    'SystemSharedMemoryStatus',
    'SystemSharedMemoryRegister',
    'SystemSharedMemoryUnregister',
    'CudaSharedMemoryStatus',
    'CudaSharedMemoryRegister',
    'CudaSharedMemoryUnregister',
  ],
  'model-config': ['ModelConfig'],
  'model-repository': ['RepositoryIndex', 'RepositoryModelLoad', 'RepositoryModelUnload'],
  statistics: ['ModelStatistics'],
  trace: ['TraceSetting'],
  logging: ['LogSettings'],
};

/** Methods that no restriction names are returned as they are: they cost nothing. */
export function restrictMethods(
  methods: readonly GrpcMethod[],
  restrictions: readonly Restriction[],
): readonly GrpcMethod[] {
  return methods.map((method) => {
    const name = method.path.slice(method.path.lastIndexOf('/') + 1);
    const restriction = restrictions.find(({ categories }) =>
      categories.some((category) => RESTRICTABLE[category].includes(name)),
    );
    return restriction ? restricted(method, restriction) : method;
  });
}

function restricted(method: GrpcMethod, { key, value }: Restriction): GrpcMethod {
  const header = `triton-grpc-protocol-${key}`.toLowerCase();
  const message = `This protocol is restricted, expecting header 'triton-grpc-protocol-${key}'`;
  const guard =
    <C extends GrpcCall>(handle: (call: C) => void) =>
    (call: C): void => {
      if (call.metadata(header) === value) handle(call);
      else call.fail({ code: GRPC.UNAVAILABLE, message });
    };
  if (method.kind === 'unary')
    return { ...method, handle: guard<UnaryCall>((call) => method.handle(call)) };
  return { ...method, handle: guard<StreamCall>((call) => method.handle(call)) };
}
