// The thread of one instance of a model written in TypeScript, from its start to its death. A plain worker thread and no Piscina: all
// that is said goes one way, in order, in both directions, and nothing is restarted but by the instance. Its code may do what it
// likes to the thread, also end it; the process goes on.

import { Worker } from 'node:worker_threads';
import type { ScriptEnvelope, ScriptInput, ScriptOutput } from '../worker/script-protocol.js';

const WORKER_FILE = new URL('../worker/script-worker.js', import.meta.url);

export interface ScriptThreadListener {
  said(output: ScriptOutput): void;
  /** Once, unless it was ended by `end`. Nothing is said after that. */
  died(reason: unknown): void;
}

export class ScriptThread {
  readonly #worker: Worker;
  #isOver = false;

  /** `heapMb`: what its objects may take; typed arrays and BYTES are not among them. */
  constructor(listener: ScriptThreadListener, { heapMb }: { readonly heapMb: number }) {
    this.#worker = new Worker(WORKER_FILE, {
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    let isTold = false;
    this.#worker.on('message', (message: unknown) => {
      if (this.#isOver) return;
      if (isEnvelope(message)) listener.said(message.inferd);
      else if (!isTold) {
        isTold = true;
        listener.said(UNHEARD);
      }
    });
    const died = (reason: unknown): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      listener.died(reason);
    };
    this.#worker.on('error', died);
    this.#worker.on('exit', (code) => died(`its code ended it (exit code ${code})`));
  }

  /** The tensors are handed over. */
  say(input: ScriptInput): void {
    this.#worker.postMessage(input, tensorsOf(input));
  }

  /** Whatever it is doing. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }
}

// ---- details below; callers need not read ----

const UNHEARD: ScriptOutput = {
  ...{ kind: 'log', level: 'warn', fields: {} },
  message: 'what its code posts to the parentPort of its thread is not heard by anybody',
};

function isEnvelope(message: unknown): message is ScriptEnvelope {
  return typeof message === 'object' && message !== null && 'inferd' in message;
}

function tensorsOf(input: ScriptInput): ArrayBuffer[] {
  if (input.kind === 'execute') return [input.tensors.buffer];
  return input.kind === 'inferred' && 'tensors' in input.answer
    ? [input.answer.tensors.buffer]
    : [];
}
