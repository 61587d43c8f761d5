// What is wrong with a configuration: everything at once, each with its place.

import { RuntimeError } from '../core/errors.js';

export interface ConfigProblem {
  /** Place in the configuration, such as "input[0].dims"; '' for the whole. */
  readonly path: string;
  /** Triton's text where it has one: clients see the first problem's. */
  readonly message: string;
  /** Position in config.pbtxt, where the text itself is at fault. */
  readonly line?: number;
  readonly column?: number;
}

/** "config.pbtxt:3:7: input[0].dims: …", as far as it is known. */
export function formatProblem(problem: ConfigProblem): string {
  const position =
    problem.line === undefined ? '' : `config.pbtxt:${problem.line}:${problem.column ?? 1}: `;
  return `${position}${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`;
}

/** Carries every problem; its message, which clients see, is the first one's. */
export class InvalidModelConfig extends RuntimeError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('INVALID_ARGUMENT', problems[0]?.message ?? 'invalid configuration');
    this.problems = problems;
  }

  /** Throws unless the list is empty. */
  static check(problems: readonly ConfigProblem[]): void {
    if (problems.length > 0) throw new InvalidModelConfig(problems);
  }
}
