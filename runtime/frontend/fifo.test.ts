import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from './fifo.js';

describe('Fifo', () => {
  it('gives items back as an array would, however long the line', () => {
    const steps = fc.array(fc.integer({ min: -3000, max: 3000 }), { maxLength: 20 });
    fc.assert(
      fc.property(steps, (counts) => {
        const [fifo, model] = [new Fifo<number>(), [] as number[]];
        let next = 0;
        for (const count of counts) {
          for (let i = 0; i < count; i++) {
            fifo.push(next);
            model.push(next++);
          }
          for (let i = 0; i < -count; i++) expect(fifo.shift()).toBe(model.shift());
          expect([fifo.peek(), fifo.isEmpty]).toEqual([model[0], model.length === 0]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is empty when it has been cleared', () => {
    const fifo = new Fifo<string>();
    fifo.push('a');

    fifo.clear();

    expect([fifo.isEmpty, fifo.peek(), fifo.shift()]).toEqual([true, undefined, undefined]);
  });

  it('takes the youngest back, and no other', () => {
    const fifo = new Fifo<string>();
    for (const item of ['a', 'b', 'c']) fifo.push(item);
    fifo.shift();

    fifo.takeBack('b');
    fifo.takeBack('c');
    expect([fifo.shift(), fifo.isEmpty]).toEqual(['b', true]);
    fifo.push('d');
    fifo.takeBack('d');

    expect([fifo.isEmpty, fifo.shift()]).toEqual([true, undefined]);
  });
});
