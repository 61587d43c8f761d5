// What a tiny model's callers see of a slow one: p99 with the slow model idle and with it saturated, in turns.

import type { Say } from '../command/run-bench.js';
import { median, ratioOf, type Ratio } from '../median.js';
import { askBytes, bytesClient } from '../works/infer-answer.js';
import type { IsolationStage, TinyModel } from './isolation-stage.js';
import { whileSaturated } from './saturation.js';
import { tinyLoad, type TinyFigures } from './tiny-load.js';

export interface IsolationPlan {
  /** Pairs of windows for each tiny model that is measured. */
  readonly pairs: number;
  readonly windowMs: number;
  /** How long the slow model is saturated, and the tiny ones are called, before the first window. */
  readonly warmUpMs: number;
  readonly callers: number;
  /** How many tiny models are measured. */
  readonly measured: number;
}

export interface IsolationFigures {
  /** Tiny models that waited for the slow one when it was first called, which is to say that they shared its thread. */
  readonly sharedAtFirst: readonly string[];
  readonly models: readonly TinyIsolation[];
  /** What the slow model answered meanwhile. */
  readonly slowPerSecond: number;
}

export interface TinyIsolation {
  readonly model: string;
  readonly alone: readonly TinyFigures[];
  readonly beside: readonly TinyFigures[];
  /** p99 beside ÷ p99 alone, pair by pair. */
  readonly p99: Ratio;
}

export async function measureIsolation(
  stage: IsolationStage,
  plan: IsolationPlan,
  say: Say,
): Promise<IsolationFigures> {
  const { warmUpMs, callers, pairs } = plan;
  const shared = await sharersAtFirst(stage, callers);
  say(
    `sharing a thread with the slow model at first: ${shared.length} of ${stage.tinyModels.length}`,
  );
  await whileSaturated(stage, callers, () => callAll(stage, warmUpMs));
  const measured = chosen(stage.tinyModels, shared, plan.measured);
  const windows = measured.map((model) => ({
    model,
    alone: [] as TinyFigures[],
    beside: [] as TinyFigures[],
  }));
  const slowPerSecond: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    for (const { model, alone } of windows) alone.push(await tinyLoad(stage, model, plan.windowMs));
    const { slowAnswers, seconds } = await whileSaturated(stage, callers, async () => {
      for (const { model, beside } of windows)
        beside.push(await tinyLoad(stage, model, plan.windowMs));
    });
    slowPerSecond.push(slowAnswers / seconds);
    say(`pair ${pair + 1} of ${pairs} is measured`);
  }
  return {
    sharedAtFirst: shared.map(({ name }) => name),
    models: windows.map(({ model, alone, beside }) => ({
      model: model.name,
      alone,
      beside,
      p99: ratioOf(p99(beside), p99(alone)),
    })),
    slowPerSecond: median(slowPerSecond),
  };
}

// ---- details below; callers need not read ----

/** A tiny model that takes this long has waited for a batch of the slow one. */
const WAITED_MS = 100;

async function sharersAtFirst(stage: IsolationStage, callers: number): Promise<TinyModel[]> {
  const client = bytesClient(`127.0.0.1:${stage.port}`);
  const durations = async (): Promise<number[]> => {
    const all: number[] = [];
    for (const { message } of stage.tinyModels) {
      const startedAt = performance.now();
      await askBytes(client, message);
      all.push(performance.now() - startedAt);
    }
    return all;
  };
  // Once without the slow model, so that connecting and first runs are over.
  await durations();
  const { result } = await whileSaturated(stage, callers, durations);
  client.close();
  return stage.tinyModels.filter((_, index) => result[index]! > WAITED_MS);
}

async function callAll(stage: IsolationStage, durationMs: number): Promise<void> {
  const share = durationMs / stage.tinyModels.length;
  for (const model of stage.tinyModels) await tinyLoad(stage, model, share);
}

/** Those that shared come first: they are the ones to be separated. */
function chosen(
  models: readonly TinyModel[],
  shared: readonly TinyModel[],
  count: number,
): TinyModel[] {
  const others = models.filter((model) => !shared.includes(model));
  const ofShared = Math.min(shared.length, Math.max(Math.ceil(count / 2), count - others.length));
  return [...shared.slice(0, ofShared), ...others.slice(0, count - ofShared)];
}

function p99(windows: readonly TinyFigures[]): number[] {
  return windows.map(({ p99Ms }) => p99Ms);
}
