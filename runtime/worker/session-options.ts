// SessionSettings -> the options of onnxruntime-node.

import type { InferenceSession } from 'onnxruntime-node';
import type { ExecutionProvider, LoadInput } from './protocol.js';

export function sessionOptions(
  input: LoadInput,
  provider: ExecutionProvider,
  logLevel: 0 | 1 | 2 | 3 | 4,
): InferenceSession.SessionOptions {
  const { settings, intraOpThreads, deviceId } = input;
  return {
    // WebGPU chooses its device itself.
    executionProviders: [provider === 'cuda' ? { name: provider, deviceId } : provider],
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: settings.interOpThreads || 1,
    executionMode: settings.parallelExecution ? 'parallel' : 'sequential',
    graphOptimizationLevel: settings.graphOptimization,
    enableCpuMemArena: settings.memArena,
    enableMemPattern: settings.memPattern,
    logSeverityLevel: logLevel,
    extra: nested({
      // Threads that spin between runs take the cores from the main thread and from other models.
      'session.intra_op.allow_spinning': '0',
      'session.inter_op.allow_spinning': '0',
      ...settings.entries,
    }),
  };
}

/** onnxruntime-node wants "a.b.c" as objects within objects. */
function nested(entries: Readonly<Record<string, string>>): Record<string, unknown> {
  const root = emptyObject();
  for (const [key, value] of Object.entries(entries)) {
    const path = key.split('.');
    const last = path.pop()!;
    let at = root;
    for (const name of path) at = (at[name] ??= emptyObject()) as Record<string, unknown>;
    at[last] = value;
  }
  return root;
}

/** Without a prototype: "constructor" is a name like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}
