import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aMessage, askModel, replyTo } from '../testing/ask-model.js';
import { aTensor } from '../testing/build.js';
import { HAS_SHARED_MEMORY, SharedMemoryFile } from '../testing/shared-memory-file.js';
import { GRPC } from './grpc-status.js';
import type { Message } from './message-codec.js';
import type { SharedMemoryPlace } from './shared-memory-region.js';
import { SharedMemory, type PlaceInRegion } from './shared-memory.js';

const y = aTensor('OUTPUT0', [1, 2], [0.5, -1]);
const z = aTensor('OUTPUT1', [1, 1], [9]);

function inRegion(offset: number, byteSize: number): Message {
  return {
    shared_memory_region: { string_param: 'r' },
    shared_memory_offset: { int64_param: offset },
    shared_memory_byte_size: { int64_param: byteSize },
  };
}

const toRegion = (offset: number, byteSize: number): Message => ({
  outputs: [{ name: 'OUTPUT0', parameters: inRegion(offset, byteSize) }, { name: 'OUTPUT1' }],
});

describe.skipIf(!HAS_SHARED_MEMORY)('a request with tensors in shared memory', () => {
  let file: SharedMemoryFile;
  let sharedMemory: SharedMemory;
  beforeEach(() => {
    file = new SharedMemoryFile(Uint8Array.from({ length: 32 }, (_, i) => i));
    sharedMemory = new SharedMemory();
    sharedMemory.register({ name: 'r', key: file.key, offset: 0, byteSize: 32 });
  });
  afterEach(() => {
    sharedMemory.unregisterAll();
    file.remove();
  });

  it('brings its inputs from there, and the others as they come', () => {
    const tensor = { datatype: 'FP32', shape: [1, 2] };
    const inputs = [
      { ...tensor, name: 'A' },
      { ...tensor, name: 'B', parameters: inRegion(4, 8) },
      { ...tensor, name: 'C' },
    ];
    const raw = [Buffer.alloc(8, 1), Buffer.alloc(8, 2)];

    const { model } = askModel(aMessage({ inputs, raw_input_contents: raw }), { sharedMemory });

    expect(model.request!.inputs.map(({ name, data }) => [name, [...data]])).toEqual([
      ['A', Array(8).fill(1)],
      ['B', [4, 5, 6, 7, 8, 9, 10, 11]],
      ['C', Array(8).fill(2)],
    ]);
  });

  it('takes its outputs there, and the others in the response', () => {
    const asked = askModel(aMessage(toRegion(16, 12)), { sharedMemory });

    asked.model.respond(y, z);
    asked.model.end();

    expect(replyTo(asked)).toMatchObject({
      outputs: [
        { name: 'OUTPUT0', datatype: 'FP32', shape: [1, 2] },
        { name: 'OUTPUT1', datatype: 'FP32', shape: [1, 1] },
      ],
      raw_output_contents: [Buffer.alloc(0), Buffer.from(z.data)],
    });
    expect([...file.bytes.subarray(15, 25)]).toEqual([15, ...y.data, 24]);
  });

  it('fails when an output does not fit, and writes none of it', () => {
    const asked = askModel(aMessage(toRegion(0, 4)), { sharedMemory });

    asked.model.respond(y, z);
    asked.model.end();

    expect(asked.call.failures).toEqual([
      {
        code: GRPC.INTERNAL,
        message:
          "shared memory size specified with the request for output 'OUTPUT0' (4 bytes) should be at least 8 bytes to hold the results",
      },
    ]);
    expect(file.bytes[0]).toBe(0);
    expect(asked.catalog.released).toBe(1);
  });

  it('writes nothing for a caller that has gone', () => {
    const asked = askModel(aMessage(toRegion(0, 8)), { sharedMemory });

    asked.call.cancel();
    asked.model.respond(y, z);
    asked.model.end();

    expect([...file.bytes.subarray(0, 8)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('fails when its region is unregistered before its outputs are there', () => {
    const asked = askModel(aMessage(toRegion(0, 8)), { sharedMemory });

    sharedMemory.unregister('r');
    asked.model.respond(y, z);
    asked.model.end();

    expect(asked.call.failures).toEqual([
      { code: GRPC.NOT_FOUND, message: "Unable to find shared memory region: 'r'" },
    ]);
  });
});

const REGION = {
  shared_memory_region: { string_param: 'r' },
  shared_memory_byte_size: { int64_param: 8 },
};
const HUGE = { shared_memory_byte_size: { int64_param: 2 ** 31 } };

function anInput(overrides: Message): Message {
  return { name: 'x', datatype: 'FP32', shape: [1, 2], ...overrides };
}

describe('a request that is wrong about shared memory', () => {
  it.each<[string, Message, string]>([
    [
      'shared memory without a size',
      { inputs: [anInput({ parameters: { shared_memory_region: { string_param: 'r' } } })] },
      "'shared_memory_byte_size' must be specified along with 'shared_memory_region' parameter for tensor 'x'",
    ],
    [
      'a place without shared memory',
      {
        inputs: [],
        outputs: [{ name: 'y', parameters: { shared_memory_offset: { int64_param: 0 } } }],
      },
      "'shared_memory_offset' can not be specified without 'shared_memory_region' parameter for tensor 'y'",
    ],
    [
      'a region of another type',
      {
        inputs: [
          anInput({ parameters: { ...REGION, shared_memory_region: { bool_param: true } } }),
        ],
      },
      "invalid value type for 'shared_memory_region' parameter for tensor 'x', expected string_param.",
    ],
    [
      'an offset of another type',
      {
        inputs: [anInput({ parameters: { ...REGION, shared_memory_offset: { uint64_param: 0 } } })],
      },
      "invalid value type for 'shared_memory_offset' parameter for tensor 'x', expected int64_param.",
    ],
    [
      'classes in shared memory',
      {
        inputs: [],
        outputs: [{ name: 'y', parameters: { ...REGION, classification: { int64_param: 1 } } }],
      },
      "output can't set both 'shared_memory_region' and 'classification'",
    ],
    [
      'contents beside shared memory',
      { inputs: [anInput({ parameters: REGION, contents: { fp32_contents: [1] } })] },
      "unexpected 'content' provided when using shared memory for input tensor 'x' for model 'm'",
    ],
    [
      'more shared memory than a message could hold',
      { inputs: [anInput({ parameters: { ...REGION, ...HUGE } })] },
      'inputs in shared memory have more than 2147483647 bytes together',
    ],
  ])('is refused: %s', (_what, message, text) => {
    const { call } = askModel(aMessage({ raw_input_contents: [], ...message }));

    expect(call.failures).toEqual([{ code: GRPC.INVALID_ARGUMENT, message: text }]);
  });

  it('is told of its inputs first, then of its outputs, as by Triton', () => {
    const region = (name: string): Message => ({
      parameters: { ...REGION, shared_memory_region: { string_param: name } },
    });
    const message = { inputs: [anInput(region('in'))], outputs: [{ name: 'y', ...region('out') }] };

    const { call } = askModel(aMessage({ raw_input_contents: [], ...message }));

    expect(call.failures).toEqual([
      { code: GRPC.NOT_FOUND, message: "Unable to find shared memory region: 'in'" },
    ]);
  });

  it('has nothing read from there for a model that is not there', () => {
    class WatchedMemory extends SharedMemory {
      readonly asked: string[] = [];

      override place(place: PlaceInRegion): SharedMemoryPlace {
        this.asked.push(place.region);
        return super.place(place);
      }
    }
    const sharedMemory = new WatchedMemory();
    const message = aMessage({
      model_name: 'nosuch',
      inputs: [anInput({ parameters: REGION })],
      raw_input_contents: [],
    });

    const { call } = askModel(message, { sharedMemory });

    expect(call.failures).toMatchObject([{ code: GRPC.NOT_FOUND }]);
    expect(sharedMemory.asked).toEqual([]);
  });
});
