// A unary call of the control plane as a function from message to message.

import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, UnaryCall } from './grpc-transport.js';
import { messageCodec, type Message } from './message-codec.js';

export interface UnaryMethodTypes {
  /** Names with package. */
  readonly request: string;
  readonly response: string;
}

/** `answer` throws or rejects with a RuntimeError to fail the call. */
export function unaryMethod(
  path: string,
  types: UnaryMethodTypes,
  answer: (request: Message, call: UnaryCall) => Message | Promise<Message>,
): GrpcMethod {
  const requests = messageCodec(types.request);
  const responses = messageCodec(types.response);
  const handle = async (call: UnaryCall): Promise<void> => {
    try {
      call.reply(responses.encode(await answer(requests.decode(call.message), call)));
    } catch (error) {
      call.fail(grpcStatusOf(error));
    }
  };
  return { path, kind: 'unary', handle: (call) => void handle(call) };
}
