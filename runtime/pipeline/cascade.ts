// A cascade: stages one after the other, cheapest first; each sees only the rows that none before it was sure of. Rows keep their order,
// and what was written for a row by the last stage that saw it is what is answered. It owns no queue: legs are batched with everybody
// else's requests to the stage's model.

import {
  CASCADE_DECISION,
  CASCADE_STAGE,
  isProvided,
  type CascadeConfig,
} from '../config/cascade-config.js';
import type { ModelConfig } from '../config/model-config.js';
import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import {
  requestIdPrefix,
  type InferenceRequest,
  type InferenceResponse,
} from '../core/inference.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import type { CascadeRows } from './cascade-rows.js';
import { CascadeRun, type RunningCascade } from './cascade-run.js';
import { CascadeStage, type CascadeStageParts } from './cascade-stage.js';

export interface CascadeParts extends CascadeStageParts {
  readonly config: ModelConfig;
  /** Decimal text, as responses carry it. */
  readonly version: string;
  readonly cascade: CascadeConfig;
  readonly statistics: ModelStatistics;
}

/** Requests must be valid (layer/validate-inputs). */
export class Cascade implements Servable, RunningCascade {
  readonly name: string;
  readonly stages: readonly CascadeStage[];
  readonly node: PipelineNode;
  readonly #parts: CascadeParts;
  readonly #outputs: readonly string[];

  constructor(parts: CascadeParts) {
    const { config, cascade } = parts;
    this.#parts = parts;
    this.name = config.name;
    this.stages = cascade.stages.map((stage, index) => new CascadeStage(parts, stage, index));
    this.#outputs = config.outputs.map(({ name }) => name);
    const children = this.stages.map(({ node }) => node);
    this.node = { kind: 'cascade', name: '', children };
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    const refusal = this.#refusal(request, call);
    if (refusal) reply.end(refusal);
    else new CascadeRun(this, { request, call, reply }).start();
  }

  /** @internal */
  wanted({ outputs }: InferenceRequest): string[] {
    return this.#outputs.filter((name) => !isProvided(name) && isWanted(outputs, name));
  }

  /** @internal */
  answer(
    { outputs: wanted }: InferenceRequest,
    { call, rows }: { readonly call: Call; readonly rows: CascadeRows },
  ): InferenceResponse {
    const names = this.#outputs.filter((name) => isWanted(wanted, name));
    const outputs = names.map((name) => outputTensor(name, rows));
    call.timings.batchSize = rows.count;
    this.#parts.statistics.executed(rows.count, call.timings);
    const { degradation } = rows;
    const { version: modelVersion } = this.#parts;
    return { modelName: this.name, modelVersion, outputs, ...(degradation && { degradation }) };
  }

  // ---- details below; callers need not read ----

  #refusal(request: InferenceRequest, call: Call): RuntimeError | undefined {
    if (call.cancelled) return new RuntimeError('CANCELLED', 'Request was cancelled');
    if (this.#parts.clock.now() >= call.deadline)
      return new RuntimeError(
        'DEADLINE_EXCEEDED',
        `the deadline passed before cascade '${this.name}' began`,
      );
    if (!request.parameters.sequenceId) return undefined;
    const text = `a sequence cannot be sent to cascade '${this.name}': its rows may end at different stages`;
    return new RuntimeError('INVALID_ARGUMENT', requestIdPrefix(request) + text);
  }
}

function isWanted(outputs: InferenceRequest['outputs'], name: string): boolean {
  return outputs.length === 0 || outputs.some((output) => output.name === name);
}

function outputTensor(name: string, rows: CascadeRows): Tensor {
  const shape = [rows.count, 1];
  if (name === CASCADE_STAGE)
    return { name, dataType: 'INT32', shape, data: new Uint8Array(rows.stageOf.slice().buffer) };
  if (name === CASCADE_DECISION)
    return { name, dataType: 'BYTES', shape, data: textBytes(rows.decisionOf) };
  return rows.takeAll(name);
}

/** The raw form: each text after its length in four bytes. */
function textBytes(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const encoded = new Map<string, Uint8Array>();
  let size = 0;
  for (const text of texts) {
    let bytes = encoded.get(text);
    if (!bytes) encoded.set(text, (bytes = encoder.encode(text)));
    size += 4 + bytes.length;
  }
  const data = new Uint8Array(size);
  const view = new DataView(data.buffer);
  let at = 0;
  for (const text of texts) {
    const bytes = encoded.get(text)!;
    view.setUint32(at, bytes.length, true);
    data.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return data;
}
