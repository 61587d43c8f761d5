// The client: a method per call of the protocol.

import { addressSource } from './address-source.js';
import { Balancer } from './balancer.js';
import { Caller, type CallOptions } from './caller.js';
import { clientSettings, type ClientOptions, type ClientSettings } from './client-options.js';
import { systemClock } from './clock.js';
import { GrpcConnection } from './grpc-connection.js';
import {
  decodeInferResponse,
  encodeInferRequest,
  type InferRequestOptions,
  type InferResult,
  type InputSignatures,
  type Inputs,
} from './infer-message.js';
import { InferStream } from './infer-stream.js';
import { ServerCalls } from './server-calls.js';

export interface InferOptions extends InferRequestOptions, CallOptions {}

/** What `typedModel` knows of the inputs beforehand. */
interface Signatures {
  readonly signatures?: InputSignatures;
}

const SERVICE = '/inference.GRPCInferenceService';

/**
 * One for a program, not one for a request: it holds the connections, and what it learns of the servers. Methods fail with
 * InferdError. The calls about servers and models, such as `modelMetadata`, are in `ServerCalls`.
 */
export class InferdClient extends ServerCalls {
  readonly #settings: ClientSettings;
  readonly #balancer: Balancer;
  readonly #caller: Caller;

  /** Connects at the first call. @throws InferdError INVALID_ARGUMENT */
  constructor(options: ClientOptions) {
    const settings = clientSettings(options);
    const source = addressSource(settings.addresses);
    const balancer = new Balancer(source, {
      clock: systemClock,
      open: (address, onChange) =>
        new GrpcConnection(address, { settings, serverName: source.name, onChange }),
    });
    const caller = new Caller(balancer, settings, { clock: systemClock, random: Math.random });
    super(caller, settings);
    this.#settings = settings;
    this.#balancer = balancer;
    this.#caller = caller;
  }

  /**
   * Runs a model on the inputs, by their names. Requests with the parameter `sequence_id` are sent once, neither tried again
   * nor hedged; name an `address` to keep a sequence at one server.
   */
  async infer(
    model: string,
    inputs: Inputs,
    options: InferOptions & Signatures = {},
  ): Promise<InferResult> {
    const isSequence = Boolean(options.parameters?.['sequence_id']);
    const { bytes, address } = await this.#caller.call({
      path: `${SERVICE}/ModelInfer`,
      request: encodeInferRequest(model, inputs, options),
      options,
      mayRepeat: !isSequence,
      hedgedModel: isSequence ? undefined : model,
    });
    return decodeInferResponse(bytes, address);
  }

  /** Opens a stream to one server: for models that answer more than once, and for sequences. `deadlineMs` is for all of it. */
  async stream(options: CallOptions = {}): Promise<InferStream> {
    const { deadlineMs = Infinity, signal = new AbortController().signal } = options;
    const connection = await this.#caller.connection(options, this.#settings.deadlineMs);
    const duplex = connection.duplex(
      {
        path: `${SERVICE}/ModelStreamInfer`,
        metadata: { ...this.#settings.metadata, ...options.metadata },
        timeoutMs: deadlineMs === Infinity ? undefined : deadlineMs,
      },
      signal,
    );
    return new InferStream(duplex, connection.address);
  }

  /** Calls under way come to their end; later ones fail. */
  close(): void {
    this.#balancer.close();
  }
}
