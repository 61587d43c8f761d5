import { describe, expect, it } from 'vitest';
import { modelConfigType } from '../config/model-config-schema.js';
import { messageCodec } from '../frontend/message-codec.js';
import { RemoteBench } from '../testing/remote-bench.js';
import { describeRemoteModel, type RemoteDescription } from './describe-remote-model.js';

const METADATA = messageCodec('inference.ModelMetadataResponse').encode({
  name: 'there',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1, 1] }],
});

function configResponse(maxBatchSize: number): Buffer {
  const type = modelConfigType();
  const config = Buffer.from(
    type.encode(type.fromObject({ max_batch_size: maxBatchSize })).finish(),
  );
  return Buffer.concat([Buffer.of(0x0a, config.length), config]);
}

function describing(bench: RemoteBench): Promise<RemoteDescription> {
  const { clock, endpoints } = bench;
  const remote = { name: 'there', version: '3' };
  return describeRemoteModel({ clock, remote, endpoints: () => endpoints.all }, 'm');
}

/** Promises that are settled go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('describeRemoteModel', () => {
  it('believes the first endpoint that tells tensors and configuration', async () => {
    const bench = new RemoteBench(['a:1', 'b:1']);

    const description = describing(bench);
    bench.at('a:1').fail();
    bench.at('b:1').answer(METADATA);
    await settle();
    bench.at('b:1').answer(configResponse(8));

    expect(await description).toEqual({
      inputs: [{ name: 'x', dataType: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', dataType: 'BYTES', shape: [-1, 1] }],
      config: { max_batch_size: 8 },
    });
    const [metadata, config] = bench.at('b:1').calls;
    expect(metadata!.path).toBe('/inference.GRPCInferenceService/ModelMetadata');
    expect(config!.path).toBe('/inference.GRPCInferenceService/ModelConfig');
    expect(messageCodec('inference.ModelMetadataRequest').decode(metadata!.message)).toMatchObject({
      ...{ name: 'there', version: '3' },
    });
  });

  it('takes a server without the ModelConfig call as it is', async () => {
    const bench = new RemoteBench();

    const description = describing(bench);
    bench.at('a:1').answer(METADATA);
    await settle();
    bench.at('a:1').fail(12, 'unknown method');

    expect((await description).config).toBeUndefined();
  });

  it('does not wait for one that hangs where another comes up', async () => {
    const bench = new RemoteBench(['a:1', 'b:1']);

    const description = describing(bench);
    bench.at('b:1').fail(14, 'refused');
    const { timeoutMs } = bench.at('a:1').calls[0]!;
    bench.clock.advance(timeoutMs);
    bench.at('a:1').fail(4, 'Deadline exceeded');
    await settle();
    bench.clock.advance(250);
    await settle();
    bench.at('b:1').answer(METADATA);
    await settle();
    bench.at('b:1').answer(configResponse(8));

    expect((await description).config).toEqual({ max_batch_size: 8 });
    expect(timeoutMs).toBe(3_000);
  });

  it('asks again for ten seconds, and then tells what each endpoint said', async () => {
    const bench = new RemoteBench(['a:1', 'b:1']);
    const description = describing(bench);
    const failed = expect(description).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringMatching(
        /'m' declares no inputs and outputs, .* within 10 s: a:1: refused; b:1: no such model/,
      ) as string,
    });

    for (let i = 0; i < 50; i++) {
      bench.at('a:1').fail(14, 'refused');
      bench.at('b:1').fail(5, 'no such model');
      await settle();
      bench.clock.advance(250);
      await settle();
    }

    await failed;
    expect(bench.at('a:1').calls.length).toBeGreaterThan(30);
  });
});
