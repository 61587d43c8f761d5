// The front end of callers in this process: inferences, and the calls about the server and its models as the protocol has them.

import type { InferResult } from 'inferd-client';
import { InferdError, decode, encode } from 'inferd-client/wire';
import { endsWithin } from '../core/ends-within.js';
import { RuntimeError } from '../core/errors.js';
import type { KeepAlive } from '../core/keep-alive.js';
import { inferInProcess, streamInProcess, type InProcessParts } from './in-process-inference.js';
import type { InferArguments } from './in-process-request.js';
import type { ModelInferenceParts } from './model-inference.js';
import { RequestsUnderWay } from './requests-under-way.js';
import type { UnaryMethod } from './unary-method.js';

const SERVICE = '/inference.GRPCInferenceService/';

export class InProcessFrontEnd {
  readonly #parts: InProcessParts;
  readonly #methods: ReadonlyMap<string, UnaryMethod>;

  constructor(
    inference: ModelInferenceParts,
    methods: readonly UnaryMethod[],
    keepAlive: KeepAlive,
  ) {
    this.#parts = { ...inference, requests: new RequestsUnderWay(keepAlive) };
    this.#methods = new Map(methods.map((method) => [method.path, method]));
  }

  get isClosed(): boolean {
    return this.#parts.requests.isClosed;
  }

  infer(asked: InferArguments): Promise<InferResult> {
    return inferInProcess(asked, this.#parts);
  }

  inferStream(asked: InferArguments): AsyncGenerator<InferResult, void, undefined> {
    return streamInProcess(asked, this.#parts);
  }

  /** Messages with the names of JavaScript, as inferd-client has them. @throws RuntimeError */
  ask<Response>(method: string, request: () => object): Promise<Response> {
    return this.#parts.requests.during(async () => {
      const bytes = encode(`inference.${method}Request`, written(request));
      const answer = await this.#methods.get(SERVICE + method)!.answer(bytes);
      return decode(`inference.${method}Response`, answer) as Response;
    });
  }

  /** Takes nothing any more; what is under way may end within that time. Returns whether it has. */
  async stop(withinMs: number): Promise<boolean> {
    const { requests } = this.#parts;
    if (await endsWithin(requests.drain(), withinMs)) return true;
    requests.cutOff();
    return false;
  }
}

// ---- details below; callers need not read ----

function written(request: () => object): object {
  try {
    return request();
  } catch (error) {
    if (!(error instanceof InferdError)) throw error;
    throw new RuntimeError('INVALID_ARGUMENT', error.details, { cause: error });
  }
}
