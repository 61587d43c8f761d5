import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RecordedReply, aRequest } from '../testing/build.js';
import { QueueEntry, type EntryOwner } from './queue-entry.js';
import { RequestQueue } from './request-queue.js';

const nobody: EntryOwner = { entryDue: () => undefined, entryCancelled: () => undefined };

function anEntry(id: string): QueueEntry {
  return new QueueEntry(
    nobody,
    { request: aRequest({ id }), call: new Call(0), reply: new RecordedReply() },
    1,
  );
}

function ids(queue: RequestQueue): string[] {
  const found: string[] = [];
  for (let entry = queue.first; entry; entry = entry.queueNext) found.push(entry.request.id);
  return found;
}

describe('RequestQueue', () => {
  it('keeps the order in which requests came', () => {
    const queue = new RequestQueue();

    for (const id of ['a', 'b', 'c']) queue.push(anEntry(id));

    expect(ids(queue)).toEqual(['a', 'b', 'c']);
  });

  it('puts delayed requests behind all others, also behind those that come later', () => {
    const queue = new RequestQueue();
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(anEntry) as [
      QueueEntry,
      QueueEntry,
      QueueEntry,
      QueueEntry,
    ];

    for (const entry of [a, b, c]) queue.push(entry);
    queue.delay(a);
    queue.push(d);
    queue.delay(c);

    expect(ids(queue)).toEqual(['b', 'd', 'a', 'c']);
  });

  it('agrees with a plain list, whatever joins, leaves and is delayed when', () => {
    const step = fc.record({
      kind: fc.constantFrom('push', 'front', 'remove', 'delay'),
      at: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const queue = new RequestQueue();
        const model = new PlainQueue();
        steps.forEach(({ kind, at }, index) => {
          if (kind === 'push' || kind === 'front') {
            const entry = anEntry(String(index));
            if (kind === 'push') queue.push(entry);
            else queue.pushFront(entry);
            model.add(entry, kind);
          } else {
            const entry = model.at(at);
            if (!entry) return;
            if (kind === 'remove') queue.remove(entry);
            else queue.delay(entry);
            model.take(entry, kind);
          }
          expect(ids(queue)).toEqual(model.ids);
          expect(queue.size).toBe(model.ids.length);
        });
      }),
      { numRuns: 200 },
    );
  });
});

class PlainQueue {
  readonly #timely: QueueEntry[] = [];
  readonly #delayed: QueueEntry[] = [];

  get ids(): string[] {
    return [...this.#timely, ...this.#delayed].map(({ request }) => request.id);
  }

  at(index: number): QueueEntry | undefined {
    const all = [...this.#timely, ...this.#delayed];
    return all[index % Math.max(all.length, 1)];
  }

  add(entry: QueueEntry, kind: 'push' | 'front'): void {
    if (kind === 'push') this.#timely.push(entry);
    else this.#timely.unshift(entry);
  }

  take(entry: QueueEntry, kind: 'remove' | 'delay'): void {
    for (const list of [this.#timely, this.#delayed]) {
      if (list.includes(entry)) list.splice(list.indexOf(entry), 1);
    }
    if (kind === 'delay') this.#delayed.push(entry);
  }
}
