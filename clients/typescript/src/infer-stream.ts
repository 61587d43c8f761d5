// A stream of ModelStreamInfer: requests go in, answers come out, in no order that the protocol promises. One server serves it.

import type { Duplex } from './connection.js';
import {
  encodeInferRequest,
  inferResultFrom,
  type InferRequestOptions,
  type InferResponseMessage,
  type InferResult,
  type Inputs,
} from './infer-message.js';
import { InferdError } from './inferd-error.js';
import { decode } from './messages.js';

/** The answer to one request, or what went wrong with it; the stream goes on. `id` tells which, if the server says it. */
export type StreamAnswer =
  | { readonly id: string; readonly result: InferResult; readonly error?: undefined }
  | { readonly id: string; readonly error: InferdError; readonly result?: undefined };

interface StreamMessage {
  readonly errorMessage: string;
  readonly inferResponse: InferResponseMessage | null;
}

/** Iterating ends after `end()` and the last answer, and throws an InferdError when the stream breaks. */
export class InferStream implements AsyncIterable<StreamAnswer> {
  readonly address: string;
  readonly #duplex: Duplex;

  constructor(duplex: Duplex, address: string) {
    this.address = address;
    this.#duplex = duplex;
  }

  /** Resolves when more may be sent. A model may answer any number of times; give an `id` to tell whose answer it is. */
  async send(model: string, inputs: Inputs, options: InferRequestOptions = {}): Promise<void> {
    await this.#duplex.write(encodeInferRequest(model, inputs, options));
  }

  /** No more requests; the answers that are due still come. */
  end(): void {
    this.#duplex.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamAnswer, void, undefined> {
    for await (const bytes of this.#duplex.messages) yield this.#answer(bytes);
  }

  #answer(bytes: Buffer): StreamAnswer {
    const message = decode('inference.ModelStreamInferResponse', bytes, BigInt) as StreamMessage;
    const { errorMessage, inferResponse } = message;
    const id = inferResponse?.id ?? '';
    if (errorMessage === '' && inferResponse)
      return { id, result: inferResultFrom(inferResponse, this.address) };
    const details = errorMessage || 'the server sent an empty answer';
    return { id, error: new InferdError('UNKNOWN', details, { address: this.address }) };
  }
}
