// The models that a model's code asks: by name, looked up for every request, under the deadline of those who wait. A model that asks
// itself, through however many others, and a chain that is too long, are refused: it would never end.

import type { Call } from '../core/call.js';
import type { Clock } from '../core/clock.js';
import { RuntimeError } from '../core/errors.js';
import { NO_PARAMETERS, type InferenceRequest, type InferenceResponse } from '../core/inference.js';
import { Leg, LegFigures, type LegTarget } from '../core/leg.js';
import type { ModelCatalog } from '../core/model-catalog.js';
import type { AskedModel, OtherModels } from '../core/other-models.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import type { Reply } from '../core/servable.js';
import type { TimerWheel } from '../core/timer-wheel.js';
import { ModelRef, asksItself } from './model-ref.js';

/** Models that one after the other ask the next one. */
const MOST_CALLERS = 8;
/** Models of which figures are kept; names may come from anywhere. */
const MOST_TARGETS = 64;

export interface NestedModelsParts {
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

export class NestedModels implements OtherModels {
  readonly #parts: NestedModelsParts;
  readonly #model: string;
  readonly #targets = new Map<string, LegTarget>();
  readonly #children: PipelineNode[] = [];
  /** The tree of the model with those that it has asked so far. */
  readonly node: PipelineNode;

  constructor(
    parts: NestedModelsParts,
    model: { readonly name: string; readonly version: number },
  ) {
    this.#parts = parts;
    this.#model = model.name;
    const { name, version } = model;
    this.node = { kind: 'model', name: '', model: { name, version }, children: this.#children };
  }

  async ask(asked: AskedModel, parent: Call, callers: readonly Call[]): Promise<InferenceResponse> {
    for (const caller of callers) this.#check(asked.name, caller);
    if (parent.cancelled) throw new RuntimeError('CANCELLED', 'Request was cancelled');
    return new Promise((resolve, reject) => {
      const leg = new Leg(this.#target(asked), new OneAnswer(asked.name, { resolve, reject }), {
        parent,
      });
      leg.call.callers = [...parent.callers, this.#model];
      for (const caller of callers) caller.sent(leg);
      leg.send(requestOf(asked));
    });
  }

  // ---- details below; callers need not read ----

  #check(name: string, { callers }: Call): void {
    const chain = [...callers, this.#model];
    if (chain.includes(name)) throw asksItself([...chain, name]);
    if (chain.length > MOST_CALLERS) {
      const text = [...chain, name].join(' > ');
      const limit = `models ask each other at most ${MOST_CALLERS} deep`;
      throw new RuntimeError('BACKEND_FAILED', `${limit}: ${text}`);
    }
  }

  #target({ name, version }: AskedModel): LegTarget {
    const key = `${name}:${version}`;
    const known = this.#targets.get(key);
    if (known) return known;
    const { catalog, clock, wheel } = this.#parts;
    const servable = new ModelRef(catalog, { name, version });
    const figures = new LegFigures();
    const target = { name: `infer ${name}`, servable, figures, clock, wheel };
    if (this.#targets.size < MOST_TARGETS) {
      this.#targets.set(key, target);
      this.#children.push({
        kind: 'model',
        name: version > 0 ? key : name,
        model: { name, version },
        figures,
        children: [],
      });
    }
    return target;
  }
}

// ---- details below; callers need not read ----

function requestOf({ name, inputs, outputs }: AskedModel): InferenceRequest {
  return {
    modelName: name,
    id: '',
    parameters: NO_PARAMETERS,
    inputs,
    outputs: outputs.map((output) => ({ name: output, classCount: 0 })),
  };
}

interface Promised {
  readonly resolve: (response: InferenceResponse) => void;
  readonly reject: (error: RuntimeError) => void;
}

class OneAnswer implements Reply {
  readonly #name: string;
  readonly #promise: Promised;
  #answer: InferenceResponse | undefined;
  #count = 0;

  constructor(name: string, promise: Promised) {
    this.#name = name;
    this.#promise = promise;
  }

  response(response: InferenceResponse): void {
    this.#answer = response;
    this.#count++;
  }

  end(error?: RuntimeError): void {
    if (error) this.#promise.reject(error);
    else if (this.#answer && this.#count === 1) this.#promise.resolve(this.#answer);
    else {
      const text = `model '${this.#name}' answered ${this.#count} times; infer takes models that answer once`;
      this.#promise.reject(new RuntimeError('BACKEND_FAILED', text));
    }
  }
}
