// Asks a unary method of a service and reads its answer, messages as plain objects.

import type { GrpcMethod, GrpcStatus } from '../frontend/grpc-transport.js';
import { messageCodec, type Message } from '../frontend/message-codec.js';
import { FakeUnaryCall } from './fake-grpc-call.js';

export interface MethodNames {
  readonly path: string;
  readonly request: string;
  readonly response: string;
}

/** Of a call of GRPCInferenceService. */
export function inferenceNames(name: string): MethodNames {
  const path = `/inference.GRPCInferenceService/${name}`;
  return {
    path,
    request: `inference.${name}Request`,
    response: `inference.${name}Response`,
  };
}

export function methodAt(methods: readonly GrpcMethod[], path: string): GrpcMethod {
  const found = methods.filter((method) => method.path === path);
  if (found.length !== 1) throw new Error(`${found.length} methods have the path ${path}`);
  return found[0]!;
}

/** The response. Throws when the call failed. */
export async function answerOf(
  methods: readonly GrpcMethod[],
  names: MethodNames,
  request: Message = {},
): Promise<Message> {
  const call = await asked(methods, names, request);
  if (call.replies.length !== 1)
    throw new Error(`the call failed: ${call.failures.map(({ message }) => message).join('; ')}`);
  return messageCodec(names.response).decode(call.replies[0]!);
}

/** The status of a call that fails. Throws when it did not. */
export async function failureOf(
  methods: readonly GrpcMethod[],
  names: MethodNames,
  request: Message = {},
): Promise<GrpcStatus> {
  const call = await asked(methods, names, request);
  if (call.failures.length !== 1) throw new Error('the call did not fail');
  return call.failures[0]!;
}

async function asked(
  methods: readonly GrpcMethod[],
  names: MethodNames,
  request: Message,
): Promise<FakeUnaryCall> {
  const method = methodAt(methods, names.path);
  if (method.kind !== 'unary') throw new Error(`${names.path} is not unary`);
  const call = new FakeUnaryCall(messageCodec(names.request).encode(request));
  method.handle(call);
  await call.ended;
  // An answer too many would come by now.
  await Promise.resolve();
  if (call.answers !== 1) throw new Error(`${names.path} answered ${call.answers} times`);
  return call;
}
