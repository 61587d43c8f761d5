import { describe, expect, it } from 'vitest';
import { Call } from './call.js';
import { RuntimeError } from './errors.js';
import { NO_PARAMETERS, type InferenceRequest, type InferenceResponse } from './inference.js';
import { inferOnce, stack, type Layer, type Servable } from './servable.js';

const request: InferenceRequest = {
  modelName: 'm',
  id: '',
  parameters: NO_PARAMETERS,
  inputs: [],
  outputs: [],
};
const response: InferenceResponse = { modelName: 'm', modelVersion: '1', outputs: [] };

describe('stack', () => {
  it('puts the first layer outermost', () => {
    const log: string[] = [];
    const layer =
      (name: string): Layer =>
      (inner) => ({
        infer: (...args) => {
          log.push(name);
          inner.infer(...args);
        },
      });
    const leaf: Servable = { infer: () => void log.push('leaf') };

    stack([layer('a'), layer('b')], leaf).infer(request, new Call(0), {
      response: () => undefined,
      end: () => undefined,
    });

    expect(log).toEqual(['a', 'b', 'leaf']);
  });
});

describe('inferOnce', () => {
  it('resolves with the response', async () => {
    const servable: Servable = {
      infer: (_request, _call, reply) => {
        reply.response(response);
        reply.end();
      },
    };

    await expect(inferOnce(servable, request, new Call(0))).resolves.toBe(response);
  });

  it('rejects with the error', async () => {
    const error = new RuntimeError('NOT_FOUND', 'no');
    const servable: Servable = { infer: (_request, _call, reply) => reply.end(error) };

    await expect(inferOnce(servable, request, new Call(0))).rejects.toBe(error);
  });

  it('rejects when a servable ends without having answered', async () => {
    const servable: Servable = { infer: (_request, _call, reply) => reply.end() };

    await expect(inferOnce(servable, request, new Call(0))).rejects.toThrow('This is a bug.');
  });
});
