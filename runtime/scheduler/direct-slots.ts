// The strategy "direct": each sequence has a row of its own in the batches of one group until it ends. There are as many groups as
// instances, each with a slot for every row of a batch and at most one batch at a time; a row whose next request is not here, or
// has another shape than its batch, is left empty.

import type { SequenceConfig } from '../config/sequence-config.js';
import { bug } from '../core/errors.js';
import { decideSlots } from './sequence-decision.js';
import type {
  SameShape,
  SequenceBatch,
  SequenceDecision,
  SequenceSlots,
} from './sequence-slots.js';
import type { Sequence, SequenceEntry } from './sequence.js';

interface Group {
  /** By slot. */
  readonly taken: (Sequence | undefined)[];
  readonly ready: Set<Sequence>;
  running: SequenceBatch | undefined;
}

interface Seat {
  readonly group: Group;
  readonly slot: number;
}

interface GroupBatch extends SequenceBatch {
  readonly group: Group;
}

export class DirectSlots implements SequenceSlots {
  readonly #config: SequenceConfig;
  readonly #sameShape: SameShape;
  readonly #seats = new Map<Sequence, Seat>();
  #groups: Group[] = [];
  /** Of instances that are no more: their sequences end there, new ones do not come. */
  #retired: Group[] = [];
  #turn = 0;

  constructor(
    config: SequenceConfig,
    setup: { readonly instances: number; readonly sameShape: SameShape },
  ) {
    this.#config = config;
    this.#sameShape = setup.sameShape;
    this.resize(setup.instances);
  }

  get hasReady(): boolean {
    return this.#all().some(({ ready }) => ready.size > 0);
  }

  /** The lowest slot that is free, so that sequences spread over the groups and batches have few empty rows. */
  take(sequence: Sequence): boolean {
    for (let slot = 0; slot < this.#config.slotsPerInstance; slot++) {
      const group = this.#groups.find(({ taken }) => taken[slot] === undefined);
      if (!group) continue;
      group.taken[slot] = sequence;
      this.#seats.set(sequence, { group, slot });
      return true;
    }
    return false;
  }

  leave(sequence: Sequence): void {
    const { group, slot } = this.#seat(sequence);
    group.ready.delete(sequence);
    group.taken[slot] = undefined;
    this.#seats.delete(sequence);
    this.#retired = this.#retired.filter(({ taken }) => taken.some(Boolean));
  }

  ready(sequence: Sequence): void {
    this.#seat(sequence).group.ready.add(sequence);
  }

  unready(sequence: Sequence): void {
    this.#seat(sequence).group.ready.delete(sequence);
  }

  /** Groups take turns. */
  decide(nowMs: number): SequenceDecision {
    const groups = this.#all();
    let untilMs = Infinity;
    for (let i = 0; i < groups.length; i++) {
      const at = (this.#turn + i) % groups.length;
      const group = groups[at]!;
      if (group.running || group.ready.size === 0) continue;
      const oldest = oldestOf(group);
      const use = {
        ready: group.ready.size,
        slots: this.#config.slotsPerInstance,
        oldestAtMs: oldest.call.timings.queuedAt,
      };
      const decision = decideSlots(use, this.#config, nowMs);
      if (decision.kind === 'wait') untilMs = Math.min(untilMs, decision.untilMs);
      if (decision.kind !== 'dispatch') continue;
      this.#turn = at + 1;
      const batch: GroupBatch = { ...decision, group, rows: this.#rows(group, oldest) };
      return batch;
    }
    return untilMs === Infinity ? { kind: 'idle' } : { kind: 'wait', untilMs };
  }

  started(batch: SequenceBatch): void {
    const { group } = batch as GroupBatch;
    group.running = batch;
    for (const entry of batch.rows) if (entry) group.ready.delete(entry.sequence);
  }

  ended(batch: SequenceBatch): void {
    (batch as GroupBatch).group.running = undefined;
  }

  resize(instances: number): void {
    while (this.#groups.length < instances)
      this.#groups.push({ taken: [], ready: new Set(), running: undefined });
    const surplus = this.#groups.splice(instances);
    this.#retired.push(...surplus.filter(({ taken }) => taken.some(Boolean)));
  }

  // ---- details below; callers need not read ----

  /** The longest waiting request decides on the shape: it must not wait for ever behind others of another shape. */
  #rows({ taken, ready }: Group, pattern: SequenceEntry): (SequenceEntry | undefined)[] {
    const rows = taken.map((sequence) => {
      if (!sequence || !ready.has(sequence)) return undefined;
      const entry = sequence.waiting[0]!;
      if (entry === pattern) return entry;
      const joins = !pattern.alone && !entry.alone && this.#sameShape(pattern, entry);
      return joins ? entry : undefined;
    });
    return rows.slice(0, rows.findLastIndex((entry) => entry !== undefined) + 1);
  }

  #all(): readonly Group[] {
    return this.#retired.length === 0 ? this.#groups : [...this.#groups, ...this.#retired];
  }

  #seat(sequence: Sequence): Seat {
    const seat = this.#seats.get(sequence);
    if (!seat) throw bug('a sequence without a slot was to run');
    return seat;
  }
}

function oldestOf({ ready }: Group): SequenceEntry {
  let oldest: SequenceEntry | undefined;
  for (const { waiting } of ready) {
    const entry = waiting[0]!;
    if (!oldest || entry.call.timings.queuedAt < oldest.call.timings.queuedAt) oldest = entry;
  }
  if (!oldest) throw bug('a group without a request was to run');
  return oldest;
}
