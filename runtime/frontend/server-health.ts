// Whether the server should get traffic. Whether it lives needs no question: what answers, lives.

export interface ServerHealth {
  /** False until everything is up, and again from the moment the server begins to stop. */
  isReady(): boolean;
  /** The listener is told when the server begins to stop, once. Returns what takes it back. */
  onStopping(listener: () => void): () => void;
}
