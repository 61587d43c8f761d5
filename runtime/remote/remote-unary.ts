// A request to a model that answers once: a ModelInfer call.

import { WireReader } from '../wire/wire-reader.js';
import type {
  AnswerListener,
  CallStatus,
  OutgoingCall,
  PendingCall,
} from './endpoint-connection.js';
import { decodeInferResponse } from './infer-messages.js';
import { RemoteCall } from './remote-call.js';

const PATH = '/inference.GRPCInferenceService/ModelInfer';

export class RemoteUnary extends RemoteCall implements AnswerListener {
  answered(message: Buffer): void {
    if (this.isEnded) return;
    const { clock, model } = this.parts;
    const now = clock.now();
    let response;
    try {
      response = this.answerIn(decodeInferResponse(new WireReader(message), model.name));
    } catch (error) {
      this.gaveNoValidAnswer(error);
      return;
    }
    this.succeed(now, clock.now() - now);
    const { reply } = this.asked;
    reply.response(response);
    reply.end();
  }

  failed(status: CallStatus): void {
    this.failedWith(status);
  }

  protected open(call: Omit<OutgoingCall, 'path'>): PendingCall {
    return this.endpoint.connection.unary({ ...call, path: PATH }, this);
  }

  protected heldMs(): number {
    return 0;
  }

  protected silentMs(now: number): number {
    return now - this.asked.call.timings.dispatchedAt;
  }
}
