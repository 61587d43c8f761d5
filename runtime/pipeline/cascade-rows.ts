// The rows of one request in a cascade: which are left, what has been written for each, which stage answered last for it and what was
// decided.

import {
  worstOf,
  type Degradation,
  type InferenceRequest,
  type InferenceResponse,
} from '../core/inference.js';
import { RuntimeError } from '../core/errors.js';
import type { Tensor } from '../core/tensor.js';
import type { CascadeStage } from './cascade-stage.js';
import { CascadeTensor, type RowNumbers } from './cascade-tensor.js';
import { NO_RULE, decideExits } from './exit-rules.js';
import { TensorRows } from './tensor-rows.js';

const NO_STAGE = -1;

export class CascadeRows {
  readonly count: number;
  /** By row, the last stage that answered for it. */
  readonly stageOf: Int32Array;
  /** By row; '' where no rule has decided. */
  readonly decisionOf: string[];
  /** The worst of what stages answered. */
  degradation: Degradation | undefined;
  readonly #all: RowNumbers;
  readonly #tensors = new Map<string, CascadeTensor>();
  #remaining: RowNumbers;

  constructor({ inputs }: InferenceRequest) {
    this.count = inputs[0]?.shape[0] ?? 0;
    this.#all = Int32Array.from({ length: this.count }, (_, row) => row);
    this.#remaining = this.#all;
    this.stageOf = new Int32Array(this.count).fill(NO_STAGE);
    this.decisionOf = Array<string>(this.count).fill('');
    for (const tensor of inputs) this.#write(tensor.name, new TensorRows(tensor), this.#all);
  }

  /** Those that are not finished, in the order of the request. */
  get remaining(): RowNumbers {
    return this.#remaining;
  }

  leaveOnly(parts: readonly RowNumbers[]): void {
    this.#remaining =
      parts.length === 1 ? parts[0]! : Int32Array.from(parts.flatMap((it) => [...it]));
  }

  /** `rows` of a tensor of the cascade, as a tensor called `name`. */
  take(
    tensor: string,
    { rows, name }: { readonly rows: RowNumbers; readonly name: string },
  ): Tensor {
    return this.#tensors.get(tensor)!.take(rows, name);
  }

  takeAll(tensor: string): Tensor {
    return this.#tensors.get(tensor)!.take(this.#all);
  }

  /** Whether every row that is left has been answered, and with all these tensors. */
  isComplete(tensors: readonly string[]): boolean {
    return (
      this.#remaining.every((row) => this.stageOf[row] !== NO_STAGE) &&
      tensors.every((name) => this.#tensors.get(name)?.has(this.#remaining) === true)
    );
  }

  /**
   * What a stage answered for `rows`; returns those of them that are not finished. All or nothing.
   * @throws RuntimeError BACKEND_FAILED when that is not a row for each
   */
  accept(stage: CascadeStage, rows: RowNumbers, response: InferenceResponse): RowNumbers {
    const written = new Map<string, TensorRows>();
    for (const { part, whole } of stage.config.outputs)
      written.set(whole, answered(response, part, rows.length));
    const { exits } = stage.config;
    const rules = decideExits(
      exits,
      rows.length,
      (name) => written.get(name) ?? new TensorRows(this.take(name, { rows, name })),
    );
    for (const [name, tensor] of written) this.#write(name, tensor, rows);
    this.degradation = worstOf(this.degradation, response.degradation);
    return rows.filter((row, i) => {
      this.stageOf[row] = stage.index;
      const rule = rules[i]!;
      if (rule === NO_RULE) return true;
      stage.exits[rule]!.value++;
      this.decisionOf[row] = exits[rule]!.decision;
      return false;
    });
  }

  // ---- details below; callers need not read ----

  #write(name: string, piece: TensorRows, rows: RowNumbers): void {
    let tensor = this.#tensors.get(name);
    if (!tensor) this.#tensors.set(name, (tensor = new CascadeTensor(name, this.count)));
    tensor.write(piece, rows);
  }
}

function answered({ outputs }: InferenceResponse, name: string, rows: number): TensorRows {
  const output = outputs.find((tensor) => tensor.name === name);
  if (!output) throw new RuntimeError('BACKEND_FAILED', `it did not answer output '${name}'`);
  const piece = new TensorRows(output);
  if (piece.rows === rows) return piece;
  const text = `it answered ${piece.rows} rows of output '${name}' for ${rows}`;
  throw new RuntimeError('BACKEND_FAILED', text);
}
