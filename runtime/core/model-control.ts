// PORT: what operators do to models, implemented by the repository's model manager.

/** The states that users see; '' is a model that was never loaded. */
export type ModelState = '' | 'LOADING' | 'READY' | 'UNLOADING' | 'UNAVAILABLE';

export interface ModelIndexEntry {
  readonly name: string;
  /** Undefined for a model that was never loaded. */
  readonly version?: number;
  readonly state: ModelState;
  readonly reason: string;
  /**
   * Why the last attempt to load it failed, where state and reason do not say it, as in Triton they cannot: it is READY and
   * serves what it served before, or it was never loaded.
   */
  readonly loadFailure?: string;
  /** What its model.json says, while it is READY. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** What a load call brings itself, in place of what lies in the repository. */
export interface LoadOverride {
  /** inference.ModelConfig as JSON, in place of config.pbtxt. */
  readonly config?: string;
  /** By path within the model directory, such as "1/model.onnx". If there are any, they are the whole directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface ModelControl {
  /** What is in the repositories now, and what has been loaded. */
  index(options: { readyOnly: boolean }): Promise<readonly ModelIndexEntry[]>;

  /**
   * Resolves when the model serves what its directory, or the override, says. An override lasts until the next load.
   * @throws RuntimeError with Triton's texts
   */
  load(name: string, override?: LoadOverride): Promise<void>;

  /**
   * Resolves when no new request can reach the model; those under way finish. Models that cannot serve without it are withdrawn
   * until it is loaded again. `withParts`: so are the models it asks. Unknown models are no error.
   */
  unload(name: string, options?: { readonly withParts?: boolean }): Promise<void>;

  /** Every model that should serve does. */
  isReady(): boolean;
}
