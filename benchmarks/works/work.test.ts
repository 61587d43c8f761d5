import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  completeInferRequest,
  readInferRequest,
} from '../../runtime/frontend/infer-request-decoder.js';
import { parseModelConfig } from '../../runtime/config/parse-model-config.js';
import { grpcFrame, inferMessage } from './infer-message.js';
import { WORKS, configText, obstacle, pointFromName, pointName, requestsAt } from './work.js';

describe.each(WORKS)('the work $name', (work) => {
  it('has a configuration without problems', () => {
    expect(parseModelConfig(configText(work)).problems).toEqual([]);
  });

  it('sends a request that a server can read', () => {
    const { request } = completeInferRequest(readInferRequest(inferMessage(work)));

    expect(request.modelName).toBe(work.name);
    const elements = request.inputs[0]!.shape.reduce((product, size) => product * size, 1);
    expect(request.inputs[0]!.data.byteLength).toBe(elements * 4);
  });
});

describe.each(WORKS.filter((work) => work.maxBatchSize > 0 && !obstacle(work)))(
  'the model of $name',
  (work) => {
    it('answers a batch with a number per row', async () => {
      const session = await InferenceSession.create(work.model());
      const shape = [2, ...work.inputShape];
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.3);

      const { y } = await session.run({ x: new Tensor('float32', data, shape) });

      expect(y!.dims).toEqual([2, 1]);
      expect([...(y!.data as Float32Array)].every(Number.isFinite)).toBe(true);
      await session.release();
    });
  },
);

describe('a point', () => {
  it('has a name', () => {
    expect(pointName(pointFromName('4x16')!)).toBe('4x16');
  });

  it.each(['4', '0x1', 'x', '4x16x2', '-1x1', '4x1.5'])('is not %s', (name) => {
    expect(pointFromName(name)).toBeUndefined();
  });

  it('gets fewer requests where they come one at a time', () => {
    const [tiny] = WORKS;

    expect(requestsAt(tiny!, { connections: 4, streams: 16 })).toBe(40_000);
    expect(requestsAt(tiny!, { connections: 1, streams: 1 })).toBe(6_000);
  });
});

describe('grpcFrame', () => {
  it('puts the length before the message', () => {
    expect([...grpcFrame(Uint8Array.of(7, 8))]).toEqual([0, 0, 0, 0, 2, 7, 8]);
  });
});
