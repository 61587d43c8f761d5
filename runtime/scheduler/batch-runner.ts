// PORT: what executes batches, implemented by the instances of a model (and by a puppet in tests). The scheduler pulls: it
// forms a batch only when an instance is idle, so nothing queues behind this interface.

/** The merged input of one batch: all tensors in one buffer, in the order of the model's configuration. */
export interface BatchFeed {
  /** Rows of the batch; 1 for a model without batching. */
  readonly rows: number;
  /** Handed over: the caller must not touch it again. */
  readonly buffer: ArrayBuffer;
  readonly tensors: readonly FeedTensor[];
}

export interface FeedTensor {
  /** Place of the tensor's bytes in the buffer; offsets are multiples of 8. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** As the model sees it, batch dimension included. */
  readonly shape: readonly number[];
}

export interface BatchResult {
  /** In the order of the model's configuration. */
  readonly outputs: readonly ResultTensor[];
  /** Spent in the thread on building tensors, running the model and reading the outputs. */
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

export interface ResultTensor {
  /** As the model made it, batch dimension included. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** When a batch may start. */
export interface RunnerSlots {
  /** Batches that could start right now. */
  readonly idle: number;
  /** Calls the idle listener at the next moment when `idle > 0`; asking twice is asking once. */
  awaitIdle(): void;
  /** Set once, by the scheduler. */
  onIdle(listener: () => void): void;
}

export interface BatchRunner extends RunnerSlots {
  /** Only while `idle > 0`. Rejects with a RuntimeError. */
  run(feed: BatchFeed): Promise<BatchResult>;
}

/** A batch that an instance runs before it serves. */
export interface WarmUpBatch {
  /** Of the sample it is made from. */
  readonly name: string;
  readonly rows: number;
  /** A new feed each time, as feeds are handed over. */
  readonly feed: () => BatchFeed;
}
