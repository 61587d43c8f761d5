// A unary call of the control plane as a function from message to message.

import { grpcStatusOf } from './grpc-status.js';
import type { GrpcMethod, UnaryCall } from './grpc-transport.js';
import { messageCodec, type Message } from './message-codec.js';

export interface UnaryMethodTypes {
  /** Names with package. */
  readonly request: string;
  readonly response: string;
}

/** A method that asks nothing of its call but the message. */
export type UnaryMethod = GrpcMethod & {
  readonly kind: 'unary';
  /** The same without a call. @throws RuntimeError */
  answer(message: Buffer): Promise<Buffer>;
};

/** `answer` throws or rejects with a RuntimeError to fail the call. */
export function unaryMethod(
  path: string,
  types: UnaryMethodTypes,
  answer: (request: Message) => Message | Promise<Message>,
): UnaryMethod {
  const requests = messageCodec(types.request);
  const responses = messageCodec(types.response);
  const answered = async (message: Buffer): Promise<Buffer> =>
    responses.encode(await answer(requests.decode(message)));
  const handle = async (call: UnaryCall): Promise<void> => {
    try {
      call.reply(await answered(call.message));
    } catch (error) {
      call.fail(grpcStatusOf(error));
    }
  };
  return { path, kind: 'unary', handle: (call) => void handle(call), answer: answered };
}
