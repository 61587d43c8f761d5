// One tensor of a cascade while a request is under way: for each row of the request, what the last stage wrote that saw the row. Rows are
// only noted when they are written, and copied once, when somebody takes them; rows that lie together where they were written are
// taken without a copy.

import { RuntimeError } from '../core/errors.js';
import { formatShape, sameRowShape, type Tensor } from '../core/tensor.js';
import type { TensorRows } from './tensor-rows.js';

/** Rows of the request, ascending. */
export type RowNumbers = Int32Array;

const NOWHERE = -1;

/** Rows that lie together, in one piece. */
interface Run {
  readonly piece: TensorRows;
  readonly from: number;
  readonly to: number;
}

export class CascadeTensor {
  readonly #name: string;
  readonly #pieces: TensorRows[] = [];
  /** By row of the request: which piece holds it, and as which of its rows. */
  readonly #pieceOf: Int32Array;
  readonly #rowOf: Int32Array;

  /** `rows`: of the request. */
  constructor(name: string, rows: number) {
    this.#name = name;
    this.#pieceOf = new Int32Array(rows).fill(NOWHERE);
    this.#rowOf = new Int32Array(rows);
  }

  /** The rows of `piece` are, one after the other, those of the request in `rows`. */
  write(piece: TensorRows, rows: RowNumbers): void {
    const index = this.#pieces.push(piece) - 1;
    for (let i = 0; i < rows.length; i++) {
      this.#pieceOf[rows[i]!] = index;
      this.#rowOf[rows[i]!] = i;
    }
  }

  /** Whether each of `rows` has been written. */
  has(rows: RowNumbers): boolean {
    return rows.every((row) => this.#pieceOf[row] !== NOWHERE);
  }

  /** `rows` as one tensor called `name`. @throws RuntimeError BACKEND_FAILED when their types or shapes differ */
  take(rows: RowNumbers, name = this.#name): Tensor {
    const runs = this.#runs(rows);
    const { tensor } = runs[0]!.piece;
    for (const { piece } of runs) this.#checkFits(tensor, piece.tensor);
    const shape = [rows.length, ...tensor.shape.slice(1)];
    return { name, dataType: tensor.dataType, shape, data: joined(runs) };
  }

  // ---- details below; callers need not read ----

  #runs(rows: RowNumbers): Run[] {
    const runs: Run[] = [];
    for (let i = 0; i < rows.length;) {
      const pieceIndex = this.#pieceOf[rows[i]!]!;
      const from = this.#rowOf[rows[i]!]!;
      let length = 1;
      while (
        i + length < rows.length &&
        this.#pieceOf[rows[i + length]!] === pieceIndex &&
        this.#rowOf[rows[i + length]!] === from + length
      )
        length++;
      runs.push({ piece: this.#pieces[pieceIndex]!, from, to: from + length });
      i += length;
    }
    return runs;
  }

  #checkFits(one: Tensor, other: Tensor): void {
    if (one.dataType === other.dataType && sameRowShape(one.shape, other.shape)) return;
    const [a, b] = [one, other].map((it) => `${it.dataType} ${formatShape(it.shape.slice(1))}`);
    const text = `rows of tensor '${this.#name}' do not go together: some are ${a!}, others ${b!}`;
    throw new RuntimeError('BACKEND_FAILED', text);
  }
}

function joined(runs: readonly Run[]): Uint8Array {
  const bytesOf = ({ piece, from, to }: Run): Uint8Array =>
    piece.tensor.data.subarray(piece.start(from), piece.start(to));
  if (runs.length === 1) return bytesOf(runs[0]!);
  let size = 0;
  for (const { piece, from, to } of runs) size += piece.start(to) - piece.start(from);
  const data = new Uint8Array(size);
  let at = 0;
  for (const run of runs) {
    const bytes = bytesOf(run);
    data.set(bytes, at);
    at += bytes.length;
  }
  return data;
}
