import { Writer } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { isNear, readInferAnswer } from './infer-answer.js';

describe('readInferAnswer', () => {
  it('finds the version and the values among the rest', () => {
    const writer = Writer.create();
    writer.uint32(10).string('tiny').uint32(18).string('12');
    // An output, of which nothing is read.
    writer.uint32(42).fork().uint32(10).string('y').ldelim();
    writer.uint32(50).bytes(new Uint8Array(Float32Array.of(0.5, -2).buffer));

    const { version, values } = readInferAnswer(writer.finish());

    expect([version, ...values]).toEqual([12, 0.5, -2]);
  });
});

describe('isNear', () => {
  it.each([
    [[0.5, 1], [0.50001, 1], true],
    [[0.5, 1], [0.51, 1], false],
    [[0.5, NaN], [0.5, 1], false],
    [[0.5], [0.5, 1], false],
  ])('holds %j against %j', (values, expected, near) => {
    expect(isNear(values, expected)).toBe(near);
  });
});
