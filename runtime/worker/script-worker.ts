// The code of the thread of one instance of a model written in TypeScript: a switch over what the main thread says. The thread's
// event loop runs freely, so the model may have timers and sockets. If its code ends the thread, the main thread sees that.

import { isMainThread, parentPort } from 'node:worker_threads';
import { bug } from '../core/errors.js';
import type { ModelContext } from './model-api.js';
import { ScriptCalls } from './script-calls.js';
import { ScriptLog } from './script-log.js';
import { ScriptMetrics } from './script-metrics.js';
import { ScriptModel } from './script-model.js';
import { ScriptPositions } from './script-positions.js';
import type { ScriptEnvelope, ScriptInput, ScriptOutput, ScriptToLoad } from './script-protocol.js';
import { shortText } from './short-text.js';

if (isMainThread || !parentPort) throw bug('the thread of a model was started as the main thread');
const port = parentPort;

/** Metrics that change while nothing is answered are told this often, and lines of the log that were left out. */
const TELL_MS = 1000;

const metrics = new ScriptMetrics(tellSoon);
let calls: ScriptCalls | undefined;
let model: ScriptModel | undefined;
let positions: ScriptPositions | undefined;
let isDecoupled = false;
let timer: NodeJS.Timeout | undefined;

const log = new ScriptLog({
  send: (line) => {
    send(line);
    tellSoon();
  },
  translated: (text) => positions?.translated(text) ?? text,
  now: () => performance.now(),
});
Object.assign(globalThis.console, log.console);

port.on('message', (input: ScriptInput) => {
  switch (input.kind) {
    case 'load':
      void answering(input.task, async () => {
        await load(input.script);
        return undefined;
      });
      break;
    case 'execute':
      void answering(input.task, () => execute(input));
      break;
    case 'finalize':
      void answering(input.task, async () => {
        await model?.finalize();
        return undefined;
      });
      break;
    case 'forget':
      model?.forget(input.sequence);
      break;
    case 'cancel':
      model?.cancel(input.task);
      break;
    case 'taken':
      model?.taken(input.task, input.share);
      break;
    case 'inferred':
      calls?.answered(input.call, input.answer);
      break;
  }
});

/** Any failure is an answer, too. */
async function answering(
  task: number,
  work: () => Promise<ScriptOutput | undefined>,
): Promise<void> {
  let output: ScriptOutput;
  try {
    output = (await work()) ?? { kind: 'done', task };
  } catch (thrown) {
    const failure = model?.failure(thrown) ?? {
      code: 'INVALID_ARGUMENT',
      message: shortText(thrown instanceof Error ? thrown.message : thrown),
    };
    output = { kind: 'failed', task, failure };
  }
  // Before the answer, so that whoever has it finds them.
  tellMetrics();
  send(output);
}

async function load(script: ScriptToLoad): Promise<void> {
  const { version, directory, parameters, maxBatchSize } = script;
  const about = { model: script.model, version, directory, parameters, maxBatchSize };
  const context: ModelContext = Object.freeze({ ...about, log, metrics });
  positions = new ScriptPositions(script.bundle);
  calls = new ScriptCalls(context, send);
  model = await ScriptModel.load(script, { calls, context, positions });
  isDecoupled = script.decoupled;
}

async function execute(
  input: Extract<ScriptInput, { kind: 'execute' }>,
): Promise<ScriptOutput | undefined> {
  if (!model) throw bug('a model was asked before it was loaded');
  if (!isDecoupled) return model.execute(input);
  const { task } = input;
  await model.stream(input, (tensors) => send({ kind: 'streamed', task, tensors }));
  return undefined;
}

/** The memory of tensors is handed over: it is always a copy of the model's. */
function send(message: ScriptOutput): void {
  const envelope: ScriptEnvelope = { inferd: message };
  port.postMessage(envelope, 'tensors' in message ? [message.tensors.buffer] : []);
}

function tellMetrics(): void {
  const updates = metrics.take();
  if (updates.length > 0) send({ kind: 'metrics', updates });
}

/** One timer, however much there is to tell. */
function tellSoon(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    tellMetrics();
    log.flush();
  }, TELL_MS).unref();
}
