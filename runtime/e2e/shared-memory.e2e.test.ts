// Tensors in the shared memory of a client, on a server that serves: also when the client removes the region, makes it smaller, or
// unregisters it while requests are under way.

import { status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HAS_SHARED_MEMORY, SharedMemoryFile } from '../testing/shared-memory-file.js';
import { identityRepository } from './harness/identity-repository.js';
import { serving } from './harness/serving.js';
import type { Message } from './harness/test-client.js';

function inRegion(offset: number, byteSize: number): Message {
  return {
    shared_memory_region: { string_param: 'r' },
    shared_memory_offset: { int64_param: offset },
    shared_memory_byte_size: { int64_param: byteSize },
  };
}

/** Reads x from the region and writes y to it. */
function aRequest(
  datatype: string,
  { shape, from, to }: { shape: number[]; from: Message; to: Message },
): Message {
  return {
    model_name: `identity_${datatype.toLowerCase()}`,
    inputs: [{ name: 'x', datatype, shape, parameters: from }],
    outputs: [{ name: 'y', parameters: to }],
  };
}

describe.skipIf(!HAS_SHARED_MEMORY)('shared memory', () => {
  const here = serving(identityRepository(), ['--allow-client-shm=true']);
  const SIZE = 4096;
  const HALF = SIZE / 2;
  let file: SharedMemoryFile;

  const register = (): Promise<Message> =>
    here.client.call('SystemSharedMemoryRegister', { name: 'r', key: file.key, byte_size: SIZE });

  beforeEach(async () => {
    file = new SharedMemoryFile(
      Buffer.from(Float32Array.from({ length: SIZE / 4 }, (_, i) => i).buffer),
    );
    await register();
  });
  afterEach(async () => {
    await here.client.call('SystemSharedMemoryUnregister');
    file.remove();
  });

  const numbers = (width: number): Message =>
    aRequest('FP32', {
      shape: [1, width],
      from: inRegion(0, 4 * width),
      to: inRegion(HALF, 4 * width),
    });

  const outcome = (answer: Promise<Message>): Promise<string> =>
    answer.then(
      () => 'OK',
      (error: unknown) => {
        const { code, details } = error as ServiceError;
        return `${status[code]}: ${details}`;
      },
    );

  it('brings numbers to the model and back', async () => {
    const answer = await here.client.infer(numbers(100));

    expect(answer['raw_output_contents']).toEqual([Buffer.alloc(0)]);
    expect(answer['outputs']).toMatchObject([{ name: 'y', datatype: 'FP32', shape: [1, 100] }]);
    expect(file.bytes.subarray(HALF, HALF + 400)).toEqual(file.bytes.subarray(0, 400));
  });

  it('brings strings to the model and back', async () => {
    const strings = Buffer.from('\x02\0\0\0ab\x03\0\0\0\u4e16', 'utf8');
    const region = file.bytes;
    strings.copy(region);
    file.remove();
    await here.client.call('SystemSharedMemoryUnregister', { name: 'r' });
    file = new SharedMemoryFile(region);
    await register();

    const at = { from: inRegion(0, strings.length), to: inRegion(HALF, 100) };
    await here.client.infer(aRequest('BYTES', { shape: [1, 2], ...at }));

    expect(file.bytes.subarray(HALF, HALF + strings.length)).toEqual(strings);
  });

  it('is there as long as it is registered, also when the client has removed its name', async () => {
    file.remove();

    expect(await outcome(here.client.infer(numbers(4)))).toBe('OK');
    await here.client.call('SystemSharedMemoryUnregister', { name: 'r' });
    expect(await outcome(register())).toBe(
      `INTERNAL: Unable to open shared memory region: '${file.key}'`,
    );
  });

  it('that has become smaller is refused, and the server serves on', async () => {
    const smaller =
      "INVALID_ARGUMENT: shared memory region 'r' is smaller than when it was registered";

    file.resize(HALF);
    expect(await outcome(here.client.infer(numbers(4)))).toBe(smaller);
    file.resize(0);
    expect(await outcome(here.client.infer(numbers(4)))).toBe(smaller);
    expect(file.bytes).toHaveLength(0);

    file.resize(SIZE);
    expect(await outcome(here.client.infer(numbers(4)))).toBe('OK');
  });

  it('may come, go and change its size while requests are under way', async () => {
    const answers: Promise<string>[] = [];
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10; i++) answers.push(outcome(here.client.infer(numbers(100))));
      file.resize(round % 2 === 0 ? 200 : SIZE);
      if (round % 5 === 4) {
        await here.client.call('SystemSharedMemoryUnregister');
        file.resize(SIZE);
        await register();
      }
    }
    const ends = new Set(await Promise.all(answers));

    const expected = [
      'OK',
      "INVALID_ARGUMENT: shared memory region 'r' is smaller than when it was registered",
      "NOT_FOUND: Unable to find shared memory region: 'r'",
    ];
    expect([...ends].filter((end) => !expected.includes(end))).toEqual([]);
    file.resize(SIZE);
    expect(await outcome(here.client.infer(numbers(100)))).toBe('OK');
    expect(here.server.isUp).toBe(true);
  });
});
