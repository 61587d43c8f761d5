import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RecordedReply, aRequest } from '../testing/build.js';
import { DeadlineQueue } from './deadline-queue.js';
import { PriorityQueue } from './priority-queue.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import { RequestQueue } from './request-queue.js';
import type { WaitingRequests } from './waiting-requests.js';

const nobody: EntryOwner = { entryDue: () => undefined, entryCancelled: () => undefined };

function anEntry(id: string, { level = 0, waitsUntil = Infinity } = {}): QueueEntry {
  const asked = { request: aRequest({ id }), call: new Call(0), reply: new RecordedReply() };
  const entry = new QueueEntry(nobody, asked, 1);
  entry.level = level;
  entry.waitsUntil = waitsUntil;
  return entry;
}

function ids(queue: WaitingRequests): string[] {
  const found: string[] = [];
  for (let entry = queue.first; entry; entry = queue.after(entry)) found.push(entry.request.id);
  return found;
}

describe('DeadlineQueue', () => {
  it('has first who must be executed soonest, and last who need not hurry', () => {
    const queue = new DeadlineQueue();

    queue.push(anEntry('whenever'));
    queue.push(anEntry('later', { waitsUntil: 20 }));
    queue.push(anEntry('soon', { waitsUntil: 10 }));

    expect(ids(queue)).toEqual(['soon', 'later', 'whenever']);
  });

  it('keeps the order of arrival among those that are equal', () => {
    const queue = new DeadlineQueue();

    for (const id of ['a', 'b', 'c']) queue.push(anEntry(id, { waitsUntil: 10 }));

    expect(ids(queue)).toEqual(['a', 'b', 'c']);
  });

  it('puts what is tried once more before the most urgent, and what is delayed behind all', () => {
    const queue = new DeadlineQueue();
    const late = anEntry('late', { waitsUntil: 5 });

    queue.pushFront(anEntry('again', { waitsUntil: 100 }));
    queue.push(late);
    queue.delay(late);
    queue.push(anEntry('urgent', { waitsUntil: 1 }));
    queue.push(anEntry('whenever'));

    expect(ids(queue)).toEqual(['again', 'urgent', 'whenever', 'late']);
  });
});

describe('PriorityQueue', () => {
  it('has all of a level before those of the levels below it', () => {
    const queue = new PriorityQueue(() => new RequestQueue());

    for (const [id, level] of [
      ['low', 3],
      ['high', 1],
      ['middle', 2],
      ['high too', 1],
    ] as const)
      queue.push(anEntry(id, { level }));

    expect(ids(queue)).toEqual(['high', 'high too', 'middle', 'low']);
  });

  it('counts each level by itself', () => {
    const queue = new PriorityQueue(() => new RequestQueue());

    for (const level of [2, 2, 7]) queue.push(anEntry('', { level }));

    expect([1, 2, 7].map((level) => queue.sizeAt(level))).toEqual([0, 2, 1]);
    expect(queue.size).toBe(3);
  });
});

describe('every kind of queue', () => {
  const step = fc.record({
    kind: fc.constantFrom('push', 'push', 'front', 'remove', 'delay'),
    at: fc.nat(30),
    level: fc.integer({ min: 1, max: 3 }),
    waitsUntil: fc.constantFrom(5, 10, 20, Infinity),
  });

  it.each([
    ['RequestQueue', false, () => new RequestQueue()],
    ['DeadlineQueue', true, () => new DeadlineQueue()],
    ['PriorityQueue', false, () => new PriorityQueue(() => new RequestQueue())],
    ['PriorityQueue by deadline', true, () => new PriorityQueue(() => new DeadlineQueue())],
  ] as const)('%s agrees with a list that is sorted', (_name, byDeadline, create) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue: WaitingRequests = create();
        const model = new SortedList(byDeadline);
        steps.forEach(({ kind, at, waitsUntil, ...step }, index) => {
          const level = queue instanceof PriorityQueue ? step.level : 0;
          if (kind === 'push' || kind === 'front') {
            const entry = anEntry(String(index), { level, waitsUntil });
            if (kind === 'push') queue.push(entry);
            else queue.pushFront(entry);
            model.add(entry, kind === 'push' ? index : -index);
          } else {
            const entry = model.at(at);
            if (!entry) return;
            if (kind === 'remove') queue.remove(entry);
            else queue.delay(entry);
            model.take(entry, kind === 'delay' ? index : undefined);
            expect(queue.has(entry)).toBe(kind === 'delay');
          }
          expect(ids(queue)).toEqual(model.ids);
          expect(queue.size).toBe(model.ids.length);
        });
      }),
      { numRuns: 300 },
    );
  });
});

/** `turn`: among those tried once more the last first (negative), else the first first. */
interface Waiting {
  readonly entry: QueueEntry;
  readonly rank: 'again' | 'timely' | 'delayed';
  readonly turn: number;
}

class SortedList {
  readonly #byDeadline: boolean;
  #waiting: Waiting[] = [];

  constructor(byDeadline: boolean) {
    this.#byDeadline = byDeadline;
  }

  get ids(): string[] {
    return this.#waiting.map(({ entry }) => entry.request.id);
  }

  at(index: number): QueueEntry | undefined {
    return this.#waiting[index % Math.max(this.#waiting.length, 1)]?.entry;
  }

  add(entry: QueueEntry, turn: number): void {
    this.#put({ entry, rank: turn < 0 || Object.is(turn, -0) ? 'again' : 'timely', turn });
  }

  take(entry: QueueEntry, delayedTurn: number | undefined): void {
    this.#waiting = this.#waiting.filter((other) => other.entry !== entry);
    if (delayedTurn !== undefined) this.#put({ entry, rank: 'delayed', turn: delayedTurn });
  }

  #put(waiting: Waiting): void {
    this.#waiting.push(waiting);
    const ranks = ['again', 'timely', 'delayed'];
    const deadline = ({ entry, rank }: Waiting): number =>
      this.#byDeadline && rank === 'timely' ? Math.min(entry.waitsUntil, 1e9) : 0;
    this.#waiting.sort(
      (a, b) =>
        a.entry.level - b.entry.level ||
        ranks.indexOf(a.rank) - ranks.indexOf(b.rank) ||
        deadline(a) - deadline(b) ||
        a.turn - b.turn,
    );
  }
}
