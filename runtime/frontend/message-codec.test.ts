import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../core/errors.js';
import { messageCodec } from './message-codec.js';

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

describe('messageCodec', () => {
  it('reads a message with the names of the .proto', () => {
    // ModelReadyRequest { name = 1: "m", version = 2: "7" }
    expect(messageCodec('inference.ModelReadyRequest').decode(bytes('0a 01 6d 12 01 37'))).toEqual({
      name: 'm',
      version: '7',
    });
  });

  it('reads absent fields as their defaults', () => {
    const { decode } = messageCodec('inference.RepositoryModelLoadRequest');

    expect(decode(bytes(''))).toEqual({ repository_name: '', model_name: '', parameters: {} });
  });

  it('reads enums by name', () => {
    const { decode } = messageCodec('grpc.health.v1.HealthCheckResponse');

    expect(decode(bytes('08 02'))).toEqual({ status: 'NOT_SERVING' });
    expect(decode(bytes(''))).toEqual({ status: 'UNKNOWN' });
  });

  it('reads 64-bit integers as numbers', () => {
    // StatisticDuration { count = 1: 2^32 + 1, ns = 2: 3 }
    const { decode } = messageCodec('inference.StatisticDuration');

    expect(decode(bytes('08 81 80 80 80 10 10 03'))).toEqual({ count: 2 ** 32 + 1, ns: 3 });
  });

  it('tells which field of several is set, also when its value is the default', () => {
    // ModelRepositoryParameter { bool_param = 1: false }
    const { decode } = messageCodec('inference.ModelRepositoryParameter');

    expect(decode(bytes('08 00'))).toEqual({ bool_param: false, parameter_choice: 'bool_param' });
    expect(decode(bytes(''))).not.toHaveProperty('parameter_choice');
  });

  it('reads bytes as a buffer', () => {
    const { decode } = messageCodec('inference.ModelRepositoryParameter');

    expect(decode(bytes('22 02 00 ff'))['bytes_param']).toEqual(Buffer.of(0, 255));
  });

  it('passes over fields that it does not know, groups included', () => {
    const { decode } = messageCodec('inference.ModelReadyResponse');
    const unknown = 'f8 07 05  fa 07 02 00 00  fb 07 08 01 fc 07';

    expect(decode(bytes(`${unknown} 08 01`))).toEqual({ ready: true });
  });

  it.each([
    ['a length beyond the end', '0a 05 6d'],
    ['a tag that is cut off', '8a'],
    ['a value that is missing', '0a'],
    ['text that is no UTF-8', '0a 02 ff fe'],
  ])('refuses %s', (_what, hex) => {
    const decode = (): unknown => messageCodec('inference.ModelReadyRequest').decode(bytes(hex));

    expect(decode).toThrow(RuntimeError);
    expect(decode).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(
          /^request is not a valid inference\.ModelReadyRequest message: ./,
        ) as string,
      }),
    );
  });

  it('writes what a plain object says, enums by name', () => {
    const { encode } = messageCodec('grpc.health.v1.HealthCheckResponse');

    expect(encode({ status: 'SERVICE_UNKNOWN' })).toEqual(bytes('08 03'));
  });

  it('writes numbers beyond 32 bits, negative ones and those that come as text', () => {
    const { encode } = messageCodec('inference.ModelMetadataResponse.TensorMetadata');

    expect(encode({ shape: [-1] })).toEqual(bytes('1a 0a ff ff ff ff ff ff ff ff ff 01'));
    expect(encode({ shape: [2 ** 40] })).toEqual(bytes('1a 06 80 80 80 80 80 20'));
    expect(encode({ shape: ['9007199254740993'] })).toEqual(bytes('1a 08 81 80 80 80 80 80 80 10'));
  });

  it('knows no message by a name that is not in the .proto', () => {
    expect(() => messageCodec('inference.NoSuchRequest')).toThrow('inference.NoSuchRequest');
  });
});
