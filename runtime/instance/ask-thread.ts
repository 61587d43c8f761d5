// One question to an executor thread, and its answer by kind.

import { RuntimeError, bug } from '../core/errors.js';
import type { WorkerInput, WorkerOutput } from '../worker/protocol.js';
import type { ExecutorThread } from './executor-thread.js';

/** @throws RuntimeError: what the thread reports, or ThreadDied */
export async function ask<Kind extends WorkerOutput['kind']>(
  thread: ExecutorThread,
  input: WorkerInput,
  kind: Kind,
): Promise<Extract<WorkerOutput, { kind: Kind }>> {
  const output = await thread.run(input);
  if (output.kind !== kind) throw unexpected(input, output);
  return output as Extract<WorkerOutput, { kind: Kind }>;
}

/** An answer of another kind, as an error. */
export function unexpected(input: WorkerInput, output: WorkerOutput): RuntimeError {
  if (output.kind === 'error') return new RuntimeError(output.code, output.message);
  return bug(`a thread answered '${input.kind}' with '${output.kind}'`);
}
