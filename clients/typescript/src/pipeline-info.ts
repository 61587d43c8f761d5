// How models are put together: the messages of proto/inferd_control.proto with the names of JavaScript.

export interface ModelPipeline {
  readonly name: string;
  readonly version: string;
  readonly root: PipelineNode;
}

/** A part of a pipeline and what it hands requests on to. */
export interface PipelineNode {
  /** Such as 'ensemble', 'step', 'circuit-breaker'. */
  readonly kind: string;
  /** One among its siblings, such as '0'; may be ''. */
  readonly name: string;
  /** The model it asks; its version is '' for the latest. */
  readonly model?: { readonly name: string; readonly version: string } | null;
  /** Of the requests that it sent on; absent where its parent or child counts them. */
  readonly figures?: LegFigures | null;
  readonly counters: readonly PipelineCounter[];
  /** Such as 'OPEN'; '' where parts of its kind have no states. */
  readonly state: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly children: readonly PipelineNode[];
  /** Names of the siblings it waits for, as the steps of an ensemble do. */
  readonly after: readonly string[];
}

export interface LegFigures {
  readonly sent: number;
  readonly answered: number;
  /** Those that timed out included. */
  readonly failed: number;
  readonly timedOut: number;
  /** Nobody waited for them any more. */
  readonly abandoned: number;
  readonly rows: number;
  /** Of those that were answered. */
  readonly meanMicroseconds: number;
  /** Of the last 30 to 60 seconds; 0 when none was answered. */
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface PipelineCounter {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface CircuitBreaker {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly state: 'CLOSED' | 'OPEN' | 'HALF_OPEN';
  readonly settings: Readonly<Record<string, string>>;
  readonly counters: readonly PipelineCounter[];
}
