// The code of an executor thread: a table of sessions and a switch over what is asked. Errors are answers, not rejections,
// so that they keep their code.

import { isMainThread, workerData } from 'node:worker_threads';
import { env } from 'onnxruntime-node';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { RuntimeError, bug } from '../core/errors.js';
import { collectGarbage } from '../core/garbage.js';
import { OnnxSession } from './onnx-session.js';
import type { RunOutput, WorkerInput, WorkerOutput, WorkerSettings } from './protocol.js';

if (isMainThread) throw bug('an executor thread was started on the main thread');

const { ortLogLevel } = workerData as WorkerSettings;
env.logLevel = (['verbose', 'info', 'warning', 'error', 'fatal'] as const)[ortLogLevel];

const sessions = new Map<number, OnnxSession>();

export default async function handle(input: WorkerInput): Promise<unknown> {
  try {
    const output = await answer(input);
    return output.kind === 'run' ? moving(output) : output;
  } catch (thrown) {
    const { code, message } = RuntimeError.from(thrown);
    return { kind: 'error', code, message } satisfies WorkerOutput;
  }
}

async function answer(input: WorkerInput): Promise<WorkerOutput> {
  switch (input.kind) {
    case 'describe':
      return { kind: 'describe', tensors: OnnxSession.describe(input.modelPath) };
    case 'load': {
      const { session, output } = await OnnxSession.load(input, ortLogLevel);
      sessions.set(input.session, session);
      return output;
    }
    case 'bind':
      sessionOf(input.session).bind(input);
      return { kind: 'done' };
    case 'run':
      return sessionOf(input.session).run(input);
    case 'release': {
      const session = sessions.get(input.session);
      sessions.delete(input.session);
      await session?.release();
      return { kind: 'done' };
    }
    case 'collect':
      collectGarbage();
      return { kind: 'done' };
  }
}

function sessionOf(id: number): OnnxSession {
  const session = sessions.get(id);
  if (!session)
    throw new RuntimeError('BACKEND_LOST', 'the thread that held this instance has been replaced');
  return session;
}

/** Output memory is handed over, not copied. Two outputs may lie in one buffer; it is listed once. */
function moving(output: RunOutput): unknown {
  const buffers = new Set(output.outputs.map(({ data }) => data.buffer));
  return move({ [transferableSymbol]: [...buffers], [valueSymbol]: output });
}
