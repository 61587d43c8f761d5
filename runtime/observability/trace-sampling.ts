// Which requests are traced. A setting of a model goes before that of all models, this before that of the start, and what none of them
// has settled the sampler of OpenTelemetry decides, by its environment variables.

import type { TraceChanges, TraceControl, TraceSettings } from '../core/trace-control.js';

/** 'sampler': it is OpenTelemetry's to say. */
export type Turn = boolean | 'sampler';

export class TraceSampling implements TraceControl {
  readonly #unsettled: TraceSettings;
  readonly #atStart: Scope;
  readonly #all: Scope = { own: {}, seen: 0 };
  readonly #models = new Map<string, Scope>();

  /** `rate`: what the sampler's variables come to, to be shown. */
  constructor(rate: number, atStart: Partial<TraceSettings> = {}) {
    this.#unsettled = { isOn: true, rate, count: -1, logFrequency: 0 };
    this.#atStart = { own: { ...atStart }, seen: 0 };
  }

  settings(model: string): TraceSettings {
    const own = this.#models.get(model)?.own;
    return { ...this.#unsettled, ...this.#atStart.own, ...this.#all.own, ...own };
  }

  change(model: string, changes: TraceChanges): void {
    const scope = model === '' ? this.#all : (this.#models.get(model) ?? { own: {}, seen: 0 });
    const own = Object.entries({ ...scope.own, ...changes }).filter(([, value]) => value !== null);
    scope.own = Object.fromEntries(own);
    if (changes.rate !== undefined) scope.seen = 0;
    if (model === '') return;
    if (own.length === 0) this.#models.delete(model);
    else this.#models.set(model, scope);
  }

  /** Whether any request of the model is traced. Asked for every one, before anything else is done for it. */
  isOpen(model: string): boolean {
    const isOn = this.#scopeWith('isOn', model)?.own.isOn ?? true;
    return isOn && this.#scopeWith('count', model)?.own.count !== 0;
  }

  /** Whether this request is, of those whose callers are not traced. Counts it. */
  isTurn(model: string): Turn {
    const scope = this.#scopeWith('rate', model);
    if (!scope) return 'sampler';
    return scope.own.rate! > 0 && ++scope.seen % scope.own.rate! === 0;
  }

  /** One of them has been traced. */
  traced(model: string): void {
    const scope = this.#scopeWith('count', model);
    if (scope && scope.own.count! > 0) scope.own.count!--;
  }

  // ---- details below; callers need not read ----

  /** Undefined: nobody has settled it. */
  #scopeWith(key: keyof TraceSettings, model: string): Scope | undefined {
    const scope = this.#models.get(model);
    if (scope?.own[key] !== undefined) return scope;
    if (this.#all.own[key] !== undefined) return this.#all;
    return this.#atStart.own[key] === undefined ? undefined : this.#atStart;
  }
}

interface Scope {
  own: { -readonly [Key in keyof TraceSettings]?: TraceSettings[Key] };
  /** Requests since the rate was set. */
  seen: number;
}
