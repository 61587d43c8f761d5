// PORT: what operators do to models, implemented by the repository's model manager.

/** The states that users see; '' is a model that was never loaded. */
export type ModelState = '' | 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';

export interface ModelIndexEntry {
  readonly name: string;
  /** Undefined for a model that was never loaded. */
  readonly version?: number;
  readonly state: ModelState;
  readonly reason: string;
}

export interface ModelControl {
  /** What is in the repositories now, and what has been loaded. */
  index(options: { readyOnly: boolean }): Promise<readonly ModelIndexEntry[]>;

  /** Resolves when the model serves what its directory says. @throws RuntimeError with Triton's texts */
  load(name: string): Promise<void>;

  /** Resolves when no new request can reach the model; those under way finish. Unknown models are no error. */
  unload(name: string): Promise<void>;

  /** Every model that should serve does. */
  isReady(): boolean;
}
