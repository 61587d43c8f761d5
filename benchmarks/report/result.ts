// What `npm run bench` finds out, as it stands in its JSON file.

import type { Ratio } from '../median.js';

export interface BenchResult {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly loader: string;
  readonly repetitions: number;
  readonly points: readonly PointResult[];
  /** Works that could not be measured here, and why. */
  readonly skipped: readonly string[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly grpcJs: string;
  readonly onnxRuntime: string;
}

export interface PointResult {
  readonly work: string;
  readonly title: string;
  readonly point: string;
  /** Of each repetition and server. */
  readonly requests: number;
  /** Why the figures of this point mean nothing; then there are none. */
  readonly error?: string;
  readonly figures?: PointFigures;
}

export interface PointFigures {
  readonly echo: ServerFigures;
  readonly inferd: ServerFigures;
  /** Requests per second, to the echo's. */
  readonly toEcho: Ratio;
  /** Only for models that are compute-bound. */
  readonly ort?: OrtFigures;
  /** Rows per execution. */
  readonly meanBatch: number;
  /** Cores that other processes of the machine kept busy meanwhile; absent where that cannot be known. */
  readonly othersCores?: number;
}

/** Medians of the repetitions. */
export interface ServerFigures {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** User and system time of the server per request; absent where that cannot be known. */
  readonly cpuUs?: number;
}

export interface OrtFigures {
  readonly rowsPerSecond: number;
  /** inferd's requests per second, to the loop's rows per second. */
  readonly ratio: Ratio;
}
