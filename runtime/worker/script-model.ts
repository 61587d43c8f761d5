// A model written in TypeScript, inside its thread: its module is evaluated, its functions are called, and what they give is checked.
// Several calls of `execute` may be under way at once.

import { ERROR_CODES, type ErrorCode } from '../core/errors.js';
import { packTensors, unpackTensors, type PackedTensors } from '../core/packed-tensors.js';
import type { Tensor as RawTensor } from '../core/tensor.js';
import {
  ModelError,
  isDefined,
  type ModelContext,
  type ModelDefinition,
  type ModelResponse,
} from './model-api.js';
import { checkedAnswers, checkedOutputs } from './script-answers.js';
import type { ScriptCalls } from './script-calls.js';
import { ScriptPositions } from './script-positions.js';
import type {
  ExecutedOutput,
  ScriptFailure,
  ScriptRequest,
  ScriptToLoad,
} from './script-protocol.js';
import { ReceivedRequest } from './script-request.js';
import { ScriptSequences } from './script-sequences.js';
import { shortText } from './short-text.js';
import { StreamWindow } from './stream-window.js';

export interface ScriptParts {
  readonly calls: ScriptCalls;
  readonly context: ModelContext;
  readonly positions: ScriptPositions;
}

/** What a model is asked at once. */
export interface ScriptTask {
  readonly task: number;
  readonly requests: readonly ScriptRequest[];
  readonly tensors: PackedTensors;
}

export class ScriptModel {
  readonly #script: ScriptToLoad;
  readonly #definition: ModelDefinition;
  readonly #parts: ScriptParts;
  /** Streams under way, by task. */
  readonly #streams = new Map<number, StreamWindow>();
  readonly #sequences = new ScriptSequences();

  private constructor(script: ScriptToLoad, definition: ModelDefinition, parts: ScriptParts) {
    this.#script = script;
    this.#definition = definition;
    this.#parts = parts;
  }

  /** @throws ModelError that says what is wrong with it, and where */
  static async load(script: ScriptToLoad, parts: ScriptParts): Promise<ScriptModel> {
    const { positions, context } = parts;
    const { filename } = script.bundle;
    const definition = checkedDefinition(await evaluated(script, positions), script);
    try {
      await definition.initialize?.(context);
    } catch (thrown) {
      throw new ModelError(`initialize of ${filename} failed: ${positions.describe(thrown)}`);
    }
    return new ScriptModel(script, definition, parts);
  }

  /** @throws whatever `execute` throws */
  async execute({ task, requests, tensors }: ScriptTask): Promise<ExecutedOutput> {
    const startedAt = performance.now();
    const received = this.#received({ requests, tensors });
    const calledAt = performance.now();
    const context = this.#parts.calls.contextOf(task, received);
    const returned: unknown = await this.#definition.execute!(received, context);
    const endedAt = performance.now();
    const failures = new Map<number, ScriptFailure>();
    const outputs = checkedAnswers(returned, requests.length).map((answer, index) => {
      try {
        if (answer instanceof Error) throw answer;
        return checkedOutputs(this.#script, requests[index]!, answer);
      } catch (thrown) {
        failures.set(index, this.failure(thrown));
        return [];
      }
    });
    return {
      kind: 'executed',
      task,
      tensors: packTensors(outputs),
      failures,
      inputMs: calledAt - startedAt,
      inferMs: endedAt - calledAt,
      outputMs: performance.now() - endedAt,
    };
  }

  /** Tells `answer` of every answer of a decoupled model. @throws whatever the model throws */
  async stream(work: ScriptTask, answer: (tensors: PackedTensors) => void): Promise<void> {
    const { task, requests } = work;
    const received = this.#received(work)[0]!;
    const stream = new StreamWindow();
    const context = { ...this.#parts.calls.contextOf(task, [received]), signal: stream.signal };
    this.#streams.set(task, stream);
    try {
      for await (const response of this.#definition.stream!(received, context)) {
        if (stream.isCancelled()) return;
        const tensors = packTensors([this.#streamed(requests[0]!, response)]);
        const bytes = tensors.buffer.byteLength;
        answer(tensors);
        await stream.sent(bytes);
        if (stream.isCancelled()) return;
      }
    } finally {
      this.#streams.delete(task);
    }
  }

  /** A stream is given up when it comes with its next answer. */
  cancel(task: number): void {
    this.#streams.get(task)?.cancel();
  }

  /** Answers of a stream have been taken, of so much in all (unreadShare). */
  taken(task: number, share: number): void {
    this.#streams.get(task)?.taken(share);
  }

  /** A sequence is over, by its serial number. */
  forget(sequence: number): void {
    this.#sequences.forget(sequence);
  }

  async finalize(): Promise<void> {
    await this.#definition.finalize?.(this.#parts.context);
  }

  /** What callers are told of an error. */
  failure(thrown: unknown): ScriptFailure {
    if (thrown instanceof ModelError)
      return { code: codeOf(thrown), message: this.#named(shortText(thrown.message)) };
    const text = this.#parts.positions.describe(thrown);
    return { code: 'BACKEND_FAILED', message: this.#named(text) };
  }

  // ---- details below; callers need not read ----

  #named(text: string): string {
    return `model '${this.#script.model}': ${text}`;
  }

  #received({ requests, tensors }: Pick<ScriptTask, 'requests' | 'tensors'>): ReceivedRequest[] {
    const lists = unpackTensors(tensors);
    return requests.map((request, index) => {
      const { sequence } = request;
      const step = sequence && this.#sequences.step(sequence);
      return new ReceivedRequest(request, lists[index]!, step);
    });
  }

  /** How many rows an answer of a stream has is the model's affair, as in Triton. */
  #streamed(request: ScriptRequest, response: ModelResponse): RawTensor[] {
    return checkedOutputs(this.#script, { ...request, rows: -1 }, response);
  }
}

// ---- details below; callers need not read ----

/** Code without types may have given any. */
function codeOf({ code }: ModelError): ErrorCode {
  return ERROR_CODES.find((known) => known === code) ?? 'BACKEND_FAILED';
}

async function evaluated(
  { bundle }: ScriptToLoad,
  positions: ScriptPositions,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(ScriptPositions.urlOf(bundle))) as Readonly<Record<string, unknown>>;
  } catch (thrown) {
    throw new ModelError(`${bundle.filename} cannot be loaded: ${positions.describe(thrown)}`);
  }
}

function checkedDefinition(
  module: Readonly<Record<string, unknown>>,
  { bundle: { filename }, decoupled }: ScriptToLoad,
): ModelDefinition {
  const { default: definition } = module;
  const wanted = 'export default defineModel({ … })';
  if (definition === undefined)
    throw new ModelError(`${filename} has no default export; expected ${wanted}`);
  if (!isDefined(definition))
    throw new ModelError(
      `the default export of ${filename} is not made by defineModel; expected ${wanted}`,
    );
  if (decoupled && !definition.stream)
    throw new ModelError(
      `${filename} defines no 'stream', which its configuration, being decoupled, needs`,
    );
  if (!decoupled && !definition.execute)
    throw new ModelError(
      `${filename} defines no 'execute'; 'stream' is for models whose configuration says decoupled`,
    );
  return definition;
}
