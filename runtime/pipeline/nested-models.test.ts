import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { Reply, Servable } from '../core/servable.js';
import { TimerWheel } from '../core/timer-wheel.js';
import { aResponse, aTensor } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { FakeClock } from '../testing/fake-clock.js';
import { NestedModels } from './nested-models.js';

const clock = new FakeClock();
const ASKED = { name: 'other', version: 0, inputs: [aTensor('x', [1], [1])], outputs: ['y'] };

class Held implements Servable {
  readonly asked: { readonly call: Call; readonly reply: Reply }[] = [];

  infer(_request: unknown, call: Call, reply: Reply): void {
    this.asked.push({ call, reply });
  }
}

function bench(): { models: NestedModels; held: Held; catalog: FakeCatalog } {
  const held = new Held();
  const catalog = new FakeCatalog().serve(aServedModel({ name: 'other' }), held);
  const parts = { catalog, clock, wheel: new TimerWheel(clock) };
  return { models: new NestedModels(parts, { name: 'mine', version: 2 }), held, catalog };
}

function call(callers: readonly string[] = []): Call {
  const made = new Call(clock.now(), clock.now() + 500);
  made.callers = callers;
  return made;
}

describe('a model that asks another', () => {
  it('does so under the deadline of its callers, who see the leg', async () => {
    const { models, held, catalog } = bench();
    const [parent, caller] = [call(), call()];

    const answer = models.ask(ASKED, parent, [caller]);
    const [asked] = held.asked;
    asked!.reply.response(aResponse({ modelName: 'other' }));
    asked!.reply.end();

    expect((await answer).modelName).toBe('other');
    expect(asked!.call.deadline).toBe(parent.deadline);
    expect(asked!.call.callers).toEqual(['mine']);
    expect(caller.legs.map(({ target }) => target.name)).toEqual(['infer other']);
    expect(catalog.released).toBe(1);
    expect(models.node.children).toMatchObject([
      { name: 'other', figures: { sent: 1, answered: 1 } },
    ]);
  });

  it('gives up when its own callers have', async () => {
    const { models, held } = bench();
    const parent = call();

    const answer = models.ask(ASKED, parent, [parent]);
    parent.cancel();

    expect(held.asked[0]!.call.cancelled).toBe(true);
    held.asked[0]!.reply.end();
    await expect(answer).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
  });

  it.each([
    [[], 'mine', "model 'mine' would ask itself: mine > mine"],
    [['other'], 'other', "model 'other' would ask itself: other > mine > other"],
    [
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
      'other',
      'models ask each other at most 8 deep: a > b > c > d > e > f > g > h > mine > other',
    ],
  ])('is refused after %j when it asks %s', async (callers, name, message) => {
    const { models, held } = bench();

    await expect(
      models.ask({ ...ASKED, name }, call(), [call(), call(callers)]),
    ).rejects.toMatchObject({ code: 'BACKEND_FAILED', message });
    expect(held.asked).toEqual([]);
  });

  it('is told why there is no answer', async () => {
    const { models, held } = bench();

    await expect(models.ask({ ...ASKED, name: 'nobody' }, call(), [])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const twice = models.ask(ASKED, call(), []);
    held.asked[0]!.reply.response(aResponse());
    held.asked[0]!.reply.response(aResponse());
    held.asked[0]!.reply.end();
    await expect(twice).rejects.toThrow("model 'other' answered 2 times");
  });
});
