// PORT: looks through a model repository without serving it; implemented by check-repository.ts.

export interface CheckFinding {
  /** '' for the repository itself. */
  readonly model: string;
  readonly version?: number;
  /** Place in the configuration, such as "input[0].dims"; '' for the whole. */
  readonly path: string;
  /** Position in config.pbtxt, where its text is at fault. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

export interface RepositoryCheck {
  /** That were looked at. */
  readonly models: number;
  /** That would be served. */
  readonly versions: number;
  readonly problems: readonly CheckFinding[];
  /** What has no effect. */
  readonly warnings: readonly CheckFinding[];
}

export interface CheckOptions {
  /** Models are not opened. */
  readonly configOnly: boolean;
  /** Told of what is looked at next. */
  readonly progress: (what: string) => void;
}

/** @throws RuntimeError when the directory cannot be read */
export type CheckRepository = (
  directory: string,
  options: CheckOptions,
) => Promise<RepositoryCheck>;
