// Slots of sequences whose instance remembers them: a sequence stays with the instance that its first step went to. Each instance has
// the slots that the strategy of the configuration gives to one. Of an instance that is going, sequences end where they are and new
// ones do not come; what an instance has lost is lost to its sequences, and the scheduler is told.

import type { ModelConfig } from '../config/model-config.js';
import { bug } from '../core/errors.js';
import { createSlots } from './create-slots.js';
import type { BoundInstance, BoundRunner } from './script-runner.js';
import type { SequenceBatch, SequenceDecision, SequenceSlots } from './sequence-slots.js';
import type { Sequence } from './sequence.js';

interface Place {
  readonly instance: BoundInstance;
  readonly slots: SequenceSlots;
  readonly sequences: Set<Sequence>;
}

/** A batch that is to run on one instance. */
export interface BoundBatch extends SequenceBatch {
  readonly instance: BoundInstance;
}

interface PlacedBatch extends BoundBatch {
  readonly place: Place;
  /** As its slots know it. */
  readonly decided: SequenceBatch;
}

export class BoundSlots implements SequenceSlots {
  readonly #config: ModelConfig;
  readonly #runner: BoundRunner;
  readonly #placeOf = new Map<Sequence, Place>();
  #places: readonly Place[] = [];
  /** Of instances that are going. */
  #retired: readonly Place[] = [];
  #turn = 0;

  constructor(config: ModelConfig, runner: BoundRunner) {
    this.#config = config;
    this.#runner = runner;
    this.resize();
  }

  get hasReady(): boolean {
    return this.#all.some(({ slots }) => slots.hasReady);
  }

  onLost(listener: (sequences: readonly Sequence[]) => void): void {
    this.#runner.onInstanceLost((lost) => {
      const place = this.#all.find(({ instance }) => instance === lost);
      if (place) listener([...place.sequences]);
    });
  }

  /** With the instance that has the fewest, of those that are there if any of them has a slot. */
  take(sequence: Sequence): boolean {
    const order = [...this.#places].sort(
      (a, b) =>
        Number(a.instance.isLost) - Number(b.instance.isLost) ||
        a.sequences.size - b.sequences.size,
    );
    const place = order.find(({ slots }) => slots.take(sequence));
    if (!place) return false;
    place.sequences.add(sequence);
    this.#placeOf.set(sequence, place);
    return true;
  }

  leave(sequence: Sequence): void {
    const place = this.#place(sequence);
    place.slots.leave(sequence);
    place.sequences.delete(sequence);
    this.#placeOf.delete(sequence);
    place.instance.forget(sequence.serial);
    if (place.sequences.size > 0 || !this.#retired.includes(place)) return;
    this.#retired = this.#retired.filter((it) => it !== place);
    this.#runner.retire(place.instance);
  }

  ready(sequence: Sequence): void {
    this.#place(sequence).slots.ready(sequence);
  }

  unready(sequence: Sequence): void {
    this.#place(sequence).slots.unready(sequence);
  }

  /** Instances take turns; what waits for one that is busy does not keep others from running. */
  decide(nowMs: number): SequenceDecision {
    const places = this.#all;
    let untilMs = Infinity;
    for (let i = 0; i < places.length; i++) {
      const at = (this.#turn + i) % places.length;
      const place = places[at]!;
      const { instance, slots } = place;
      if (!slots.hasReady) continue;
      if (instance.idle === 0) {
        instance.awaitIdle();
        continue;
      }
      const decided = slots.decide(nowMs);
      if (decided.kind === 'wait') untilMs = Math.min(untilMs, decided.untilMs);
      if (decided.kind !== 'dispatch') continue;
      this.#turn = at + 1;
      const batch: PlacedBatch = { ...decided, instance, place, decided };
      return batch;
    }
    return untilMs === Infinity ? { kind: 'idle' } : { kind: 'wait', untilMs };
  }

  started(batch: SequenceBatch): void {
    const { place, decided } = batch as PlacedBatch;
    place.slots.started(decided);
  }

  ended(batch: SequenceBatch): void {
    const { place, decided } = batch as PlacedBatch;
    place.slots.ended(decided);
  }

  /** Which instances there are the runner knows. */
  resize(): void {
    const { instances } = this.#runner;
    const before = this.#places;
    const going = before.filter(({ instance }) => !instances.includes(instance));
    this.#places = instances.map(
      (instance) => before.find((place) => place.instance === instance) ?? this.#create(instance),
    );
    this.#retired = [...this.#retired, ...going.filter(({ sequences }) => sequences.size > 0)];
    for (const { instance, sequences } of going)
      if (sequences.size === 0) this.#runner.retire(instance);
  }

  // ---- details below; callers need not read ----

  get #all(): readonly Place[] {
    return this.#retired.length === 0 ? this.#places : [...this.#places, ...this.#retired];
  }

  /** Steps are not merged, so that any may share a batch. */
  #create(instance: BoundInstance): Place {
    const slots = createSlots(this.#config, { instances: 1, sameShape: () => true });
    return { instance, slots, sequences: new Set() };
  }

  #place(sequence: Sequence): Place {
    const place = this.#placeOf.get(sequence);
    if (!place) throw bug('a sequence without a slot was to run');
    return place;
  }
}
