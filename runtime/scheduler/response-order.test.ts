import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import type { InferenceResponse } from '../core/inference.js';
import type { Reply } from '../core/servable.js';
import { ResponseOrder } from './response-order.js';

const RESPONSE: InferenceResponse = { modelName: 'm', modelVersion: '1', outputs: [] };

class Bench {
  readonly log: string[] = [];
  readonly #order = new ResponseOrder();
  readonly #slots = new Map<string, Reply>();

  constructor(...names: string[]) {
    for (const name of names) {
      const slot = this.#order.slotFor({
        response: () => this.log.push(`${name} answers`),
        end: (error) => this.log.push(error ? `${name}: ${error.code}` : `${name} ends`),
      });
      this.#slots.set(name, slot);
    }
  }

  succeed(name: string): void {
    this.#slots.get(name)!.response(RESPONSE);
    this.#slots.get(name)!.end();
  }

  fail(name: string): void {
    this.#slots.get(name)!.end(new RuntimeError('CANCELLED', 'gone'));
  }
}

describe('ResponseOrder', () => {
  it('holds a response until those of the requests before it have left', () => {
    const bench = new Bench('a', 'b', 'c');

    bench.succeed('c');
    bench.succeed('b');
    expect(bench.log).toEqual([]);

    bench.succeed('a');
    expect(bench.log).toEqual([
      ...['a answers', 'a ends'],
      ...['b answers', 'b ends'],
      ...['c answers', 'c ends'],
    ]);
  });

  it('tells a failure at once, also one that is not first', () => {
    const bench = new Bench('a', 'b', 'c');

    bench.fail('b');
    bench.succeed('c');
    bench.succeed('a');

    expect(bench.log).toEqual(['b: CANCELLED', 'a answers', 'a ends', 'c answers', 'c ends']);
  });

  it('lets those go that waited for one that fails', () => {
    const bench = new Bench('a', 'b');

    bench.succeed('b');
    bench.fail('a');

    expect(bench.log).toEqual(['a: CANCELLED', 'b answers', 'b ends']);
  });
});
