import { describe, expect, it } from 'vitest';
import { Call } from '../core/call.js';
import { RecordedReply, aRequest, aResponse } from '../testing/build.js';
import { FakeCatalog, aServedModel } from '../testing/fake-catalog.js';
import { ModelRef } from './model-ref.js';

describe('ModelRef', () => {
  it('asks the model of its own name, in the version it wants, and gives it back when it has answered', () => {
    const asked: string[] = [];
    const catalog = new FakeCatalog().serve(aServedModel({ name: 'part', version: 2 }), {
      infer: ({ modelName }, _call, reply) => {
        asked.push(modelName);
        reply.response(aResponse());
        reply.end();
      },
    });
    const reply = new RecordedReply();

    new ModelRef(catalog, { name: 'part', version: 2 }).infer(
      aRequest({ modelName: 'whole' }),
      new Call(0),
      reply,
    );

    expect(asked).toEqual(['part']);
    expect(catalog.acquired).toEqual(['part:2']);
    expect(catalog.released).toBe(1);
    expect(reply.outcome).toBe('ok');
  });

  it('takes the latest version for 0 and -1, anew for each request', () => {
    const catalog = new FakeCatalog().serve(aServedModel({ name: 'part' }));

    for (const version of [0, -1])
      new ModelRef(catalog, { name: 'part', version }).infer(
        aRequest(),
        new Call(0),
        new RecordedReply(),
      );

    expect(catalog.acquired).toEqual(['part:', 'part:']);
  });

  it('does not ask a model whose own code has sent the request on', () => {
    const reply = new RecordedReply();
    const catalog = new FakeCatalog();
    const call = new Call(0);
    call.callers = ['part', 'other'];

    new ModelRef(catalog, { name: 'part', version: 0 }).infer(aRequest(), call, reply);

    expect(reply.ends[0]?.message).toBe("model 'part' would ask itself: part > other > part");
    expect(catalog.acquired).toEqual([]);
  });

  it('ends with the catalog’s error when the model is not there', () => {
    const reply = new RecordedReply();

    new ModelRef(new FakeCatalog(), { name: 'part', version: 0 }).infer(
      aRequest(),
      new Call(0),
      reply,
    );

    expect(reply.outcome).toBe('NOT_FOUND');
  });
});
