// An ensemble: steps over named tensors, each run as soon as what it reads is there, side by side where nothing keeps them apart.
// Steps that no requested output needs are not run. A tensor passes from step to step as it is, without a copy.
//
// A step that fails ends the request, its other legs are given up; under CONTINUE its outputs are absent from then on. A step whose
// model needs a tensor that is absent is left out, and so are its outputs. What has arrived is the answer.

import type { Call } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import type { Reply, Servable } from '../core/servable.js';
import { stepsFor } from './ensemble-plan.js';
import { isRequested } from './ensemble-answer.js';
import { EnsembleRun, type EnsembleParts } from './ensemble-run.js';

/** Selections of outputs that are remembered; callers rarely use more than a few. */
const MOST_SELECTIONS = 256;

export class Ensemble implements Servable {
  readonly #parts: EnsembleParts;
  /** By the names of the outputs that are asked for: which steps they need. */
  readonly #needed = new Map<string, readonly boolean[]>();

  constructor(parts: EnsembleParts) {
    this.#parts = parts;
  }

  infer(request: InferenceRequest, call: Call, reply: Reply): void {
    if (call.cancelled) reply.end(new RuntimeError('CANCELLED', 'Request Cancelled'));
    else if (call.deadline <= this.#parts.clock.now()) reply.end(tooLate(this.#parts.name));
    else new EnsembleRun(this.#parts, this.#neededSteps(request), { request, call, reply }).start();
  }

  // ---- details below; callers need not read ----

  #neededSteps({ outputs }: InferenceRequest): readonly boolean[] {
    const key = outputs.length === 0 ? '' : outputs.map(({ name }) => name).join('\0');
    const known = this.#needed.get(key);
    if (known) return known;
    const { plan } = this.#parts;
    const slots = plan.outputs.filter(({ name }) => isRequested(name, outputs));
    const needed = stepsFor(
      plan,
      slots.map(({ slot }) => slot),
    );
    if (this.#needed.size < MOST_SELECTIONS) this.#needed.set(key, needed);
    return needed;
  }
}

function tooLate(name: string): RuntimeError {
  return new RuntimeError(
    'DEADLINE_EXCEEDED',
    `request for ensemble '${name}' came after its deadline`,
  );
}
