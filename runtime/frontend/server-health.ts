// PORT: whether the server should get traffic. Whether it lives needs no question: what answers, lives.

export interface ServerHealth {
  /** False until everything is up, and again from the moment the server begins to stop. */
  isReady(): boolean;
  /** Requests are still served, but nobody should send any. */
  isStopping(): boolean;
  /** The listener is told when one of these has changed, apart from what models do. Returns what takes it back. */
  onChange(listener: () => void): () => void;
  /**
   * The listener is told when streams must end because connections are about to be closed, some time after isReady() has turned
   * false. Returns what takes it back.
   */
  onStreamsEnd(listener: () => void): () => void;
}
