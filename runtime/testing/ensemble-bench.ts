// An ensemble on a clock that stands still, of models that answer when they are told to.

import type { PartConfig } from '../config/ensemble-config.js';
import { Call, type Pace, type PaceListener } from '../core/call.js';
import { RuntimeError } from '../core/errors.js';
import type { InferenceRequest } from '../core/inference.js';
import { LegFigures, type LegTarget } from '../core/leg.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { Reply, Servable } from '../core/servable.js';
import type { Tensor } from '../core/tensor.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { planEnsemble } from '../pipeline/ensemble-plan.js';
import type { FlowBounds } from '../pipeline/flow-pace.js';
import { Ensemble } from '../pipeline/ensemble.js';
import { RecordedReply, aRequest } from './build.js';
import { FakeClock } from './fake-clock.js';

/** Its model has inputs x0, x1, … and outputs y0, y1, … */
export interface BenchStep {
  readonly model: string;
  /** "t?": the model can do without. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly timeoutMs?: number;
  readonly continues?: boolean;
  /** It answers any number of times. */
  readonly decoupled?: boolean;
}

/** Who reads answers as the test says. */
export class BenchReader implements Pace {
  isSlow: () => boolean;
  readonly #listeners: PaceListener[] = [];

  constructor(isSlow: () => boolean = () => false) {
    this.isSlow = isSlow;
  }

  get isBehind(): boolean {
    return this.isSlow();
  }

  /** Who waits for him. */
  get waiting(): number {
    return this.#listeners.length;
  }

  onReady(listener: PaceListener): void {
    this.#listeners.push(listener);
  }

  /** He has read. */
  read(): void {
    if (this.isBehind) return;
    for (const listener of this.#listeners.splice(0)) listener.readerReady();
  }
}

/** Of a decoupled step. */
export class AskedStep implements PaceListener {
  readonly model: string;
  readonly request: InferenceRequest;
  readonly call: Call;
  readonly #reply: Reply;
  isOver = false;
  /** Its reader is behind, and it has been told. */
  isHeld = false;

  constructor(model: string, reply: Reply, asked: { request: InferenceRequest; call: Call }) {
    this.model = model;
    this.#reply = reply;
    this.request = asked.request;
    this.call = asked.call;
  }

  /** With as many outputs as are given, y0 first. */
  answer(...outputs: readonly Pick<Tensor, 'data'>[]): void {
    this.tell(...outputs);
    this.end();
  }

  /** One of several answers. What is held may be on its way already, and come all the same. */
  tell(...outputs: readonly Pick<Tensor, 'data'>[]): void {
    const tensors = outputs.map(({ data }, at) => tensorOf(`y${at}`, data));
    this.#reply.response({ modelName: this.model, modelVersion: '1', outputs: tensors });
    const { pace } = this.call;
    if (this.isOver || this.isHeld || !pace?.isBehind) return;
    this.isHeld = true;
    pace.onReady(this);
  }

  readerReady(): void {
    this.isHeld = false;
  }

  end(error?: RuntimeError): void {
    this.isOver = true;
    this.#reply.end(error);
  }
}

export interface BenchOptions {
  /** Of all steps, or by their names; puppets where nothing is said. */
  readonly model?: Servable;
  readonly models?: Readonly<Record<string, Servable>>;
  readonly clock?: FakeClock;
  readonly maxInflight?: number;
  /** In place of what maxInflight makes of it. */
  readonly flows?: FlowBounds;
}

export class EnsembleBench {
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  readonly statistics = new ModelStatistics();
  readonly ensemble: Ensemble;
  /** Every step that was ever asked. */
  readonly asked: AskedStep[] = [];
  readonly targets: readonly LegTarget[];

  constructor(
    steps: readonly BenchStep[],
    tensors: { inputs: readonly string[]; outputs: readonly string[] },
    {
      model,
      models = {},
      clock = new FakeClock(),
      maxInflight = Infinity,
      flows,
    }: BenchOptions = {},
  ) {
    this.clock = clock;
    this.wheel = new TimerWheel(clock);
    const { wheel, statistics } = this;
    this.targets = steps.map((step, at) => ({
      ...{ name: `step ${at}`, clock, wheel },
      servable: models[step.model] ?? model ?? this.#puppet(step.model),
      figures: new LegFigures(),
    }));
    const named = (names: readonly string[]): { name: string }[] => names.map((name) => ({ name }));
    const plan = planEnsemble(
      { steps: steps.map(partOf), maxInflight },
      {
        ...{ inputs: named(tensors.inputs), outputs: named(tensors.outputs) },
        isDecoupled: (step) => steps[step]!.decoupled === true,
        isOptional: (step, input) => steps[step]!.reads[Number(input.slice(1))]!.endsWith('?'),
      },
    );
    this.ensemble = new Ensemble({
      ...{ name: 'e', version: '1', batched: true },
      plan: flows ? { ...plan, steps: plan.steps.map((step) => ({ ...step, flows })) } : plan,
      ...{ targets: this.targets, statistics, clock },
    });
  }

  ask(
    inputs: readonly Tensor[],
    more: Partial<InferenceRequest> = {},
    { deadline, reader }: { deadline?: number; reader?: BenchReader } = {},
  ): { reply: RecordedReply; call: Call } {
    const reply = new RecordedReply();
    const call = new Call(this.clock.now(), deadline);
    call.pace = reader;
    this.ensemble.infer(aRequest({ modelName: 'e', inputs, ...more }), call, reply);
    return { reply, call };
  }

  /** Models that are asked and have not answered, nor been told to stop. */
  get running(): AskedStep[] {
    return this.asked.filter(({ isOver }) => !isOver);
  }

  /** The step of this model that is under way. */
  step(model: string): AskedStep {
    const found = this.running.find((step) => step.model === model);
    if (!found) throw new Error(`${model} is not asked`);
    return found;
  }

  #puppet(name: string): Servable {
    return {
      infer: (request, call, reply) => {
        const step = new AskedStep(name, reply, { request, call });
        this.asked.push(step);
        call.onCancel({
          callCancelled: () => {
            if (!step.isOver) step.end(new RuntimeError('CANCELLED', 'Request Cancelled'));
          },
        });
      },
    };
  }
}

/** One row. */
export function tensorOf(name: string, data: Uint8Array): Tensor {
  return { name, dataType: 'UINT8', shape: [1, data.byteLength], data };
}

function partOf({ model, reads, writes, timeoutMs, continues }: BenchStep): PartConfig {
  const bare = (tensor: string): string => tensor.replace('?', '');
  return {
    model: { name: model, version: 0 },
    inputs: reads.map((tensor, at) => ({ part: `x${at}`, whole: bare(tensor) })),
    outputs: writes.map((whole, at) => ({ part: `y${at}`, whole })),
    timeoutMs: timeoutMs ?? Infinity,
    continues: continues ?? false,
  };
}
