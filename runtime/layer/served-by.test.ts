import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import type { InferenceResponse } from '../core/inference.js';
import { RecordedReply, aRequest, aResponse } from '../testing/build.js';
import { FakeClock } from '../testing/fake-clock.js';
import { HeldServable } from '../testing/held-servable.js';
import { servableConformance } from '../testing/servable-conformance.js';
import { CountedServable, TellingServable } from './served-by.js';

function told(response: InferenceResponse, attempts = 1): Record<string, unknown> {
  const model = new HeldServable(new FakeClock());
  const counted = new CountedServable(model);
  const reply = new RecordedReply();
  const again = {
    infer: (...args: Parameters<HeldServable['infer']>) => {
      for (let i = 0; i < attempts; i++) counted.infer(...args);
    },
  };
  new TellingServable(again).infer(aRequest(), new Call(0), reply);
  model.asked[0]!.answer(response);
  return Object.fromEntries(reply.responses[0]!.parameters!);
}

servableConformance('a model that tells who answered', () => {
  const clock = new FakeClock();
  const model = new HeldServable(clock);
  return {
    servable: new TellingServable(new CountedServable(model)),
    clock,
    finish: () => {
      for (const asked of model.open) asked.answer();
      return Promise.resolve();
    },
    breakDown: () => {
      for (const asked of model.open) asked.fail();
      return Promise.resolve();
    },
  };
});

describe('TellingServable', () => {
  it('tells who answered and how often it was asked, and nothing of degradation when there is none', () => {
    expect(told(aResponse({ modelName: 'm', modelVersion: '3' }), 2)).toEqual({
      served_by: 'm:3',
      attempts: 2,
      hedged: false,
    });
  });

  it('tells the level of a degraded answer, and who gave it in the model’s name', () => {
    const response = aResponse({
      degradation: { level: 'small', rank: 1 },
      parameters: new Map([['served_by', 'other:2']]),
    });

    expect(told(response)).toMatchObject({ served_by: 'other:2', degradation_level: 'small' });
  });

  it('leaves other parameters as they are', () => {
    expect(told(aResponse({ parameters: new Map([['mine', 5]]) }))).toMatchObject({ mine: 5 });
  });

  it('tells of another version when another one answers', () => {
    const model = new HeldServable(new FakeClock());
    const servable = new TellingServable(new CountedServable(model));
    const reply = new RecordedReply();

    for (const modelVersion of ['1', '2', '2']) {
      servable.infer(aRequest(), new Call(0), reply);
      model.open[0]!.answer(aResponse({ modelVersion }));
    }

    const told = reply.responses.map(({ parameters }) => parameters!.get('served_by'));
    expect(told).toEqual(['m:1', 'm:2', 'm:2']);
  });

  it('counts apart for a model that is asked by another one', () => {
    const model = new HeldServable(new FakeClock());
    const call = new Call(0);
    const outer = { infer: (...args: Parameters<HeldServable['infer']>) => inner(...args) };
    const leg = new TellingServable(new CountedServable(model));
    const inner: HeldServable['infer'] = (request, parent, reply) => {
      leg.infer(request, parent.child(0), reply);
      leg.infer(request, parent.child(0), reply);
    };

    new TellingServable(outer).infer(aRequest(), call, new RecordedReply());

    expect(call.effort!.attempts).toBe(0);
    expect(model.asked.map(({ call: { effort } }) => effort!.attempts)).toEqual([1, 1]);
  });
});
