// PORT: who wants to know how loading goes: the progress line and the log.

import type { ConfigProblem } from '../config/config-problem.js';
import type { RuntimeError } from '../core/errors.js';

export interface LoadObserver {
  /** Whatever was wrong with it before is out of date. */
  modelLoading(name: string): void;
  modelWarning(name: string, warning: string): void;
  /** The directory or its configuration is at fault; nothing was tried. */
  modelUnreadable(name: string, problems: readonly ConfigProblem[]): void;
  versionLoading(name: string, version: number): void;
  versionReady(name: string, version: number, loaded: LoadedFacts): void;
  versionFailed(name: string, version: number, error: RuntimeError): void;
  /** It serves on, with other instance groups. */
  versionUpdated(name: string, version: number): void;
  /** It was ready and cannot serve any more, by no wish of anybody. */
  versionEjected(name: string, version: number, error: RuntimeError): void;
  versionUnloaded(name: string, version: number): void;
}

export interface LoadedFacts {
  readonly ms: number;
  /** From its model.json. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
}
