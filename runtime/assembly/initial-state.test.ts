import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModelConfig } from '../config/parse-model-config.js';
import { sequenceConfig } from '../config/sequence-config.js';
import type { Tensor } from '../core/tensor.js';
import { TestRepository } from '../testing/model-directory.js';
import { readInitialState } from './initial-state.js';

describe('readInitialState', () => {
  let repository: TestRepository;
  beforeAll(async () => {
    repository = await TestRepository.create();
    await repository.write('m/initial_state/four', 'abcd');
  });
  afterAll(() => repository.remove());

  const read = (state: string): Promise<Tensor[]> => {
    const { message } = parseModelConfig(
      `sequence_batching { state { input_name: "I" output_name: "O" ${state} } }`,
    );
    return readInitialState(sequenceConfig(message)!, `${repository.path}/m`);
  };

  it('has zeros where nothing is said, and one element where the size is open', async () => {
    const [state] = await read('data_type: TYPE_INT16 dims: [ 3, -1 ]');

    expect(state).toEqual({
      ...{ name: 'I', dataType: 'INT16', shape: [3, 1], data: new Uint8Array(6) },
    });
  });

  it('has empty strings', async () => {
    const [state] = await read('data_type: TYPE_STRING dims: [ 2 ]');

    expect(state?.data).toEqual(new Uint8Array(8));
  });

  it('has what a file holds', async () => {
    const [state] = await read(`data_type: TYPE_INT32 dims: [ -1 ]
      initial_state { data_type: TYPE_INT32 dims: [ 1 ] data_file: "four" }`);

    expect(Buffer.from(state!.data).toString()).toBe('abcd');
  });

  it('has the strings that a file holds, and refuses one that holds others', async () => {
    await repository.write('m/initial_state/text', '\u0002\0\0\0hi');
    const texts = (count: number): Promise<Tensor[]> =>
      read(`data_type: TYPE_STRING dims: [ ${count} ]
        initial_state { data_type: TYPE_STRING data_file: "text" }`);

    const [state] = await texts(1);
    expect(Buffer.from(state!.data).subarray(4).toString()).toBe('hi');
    await expect(texts(2)).rejects.toThrow(
      "initial state of 'I' expects 2 strings of UTF-8 text, each after its length in four bytes",
    );
  });

  it('refuses a file that is not there or of the wrong size', async () => {
    const file = (name: string): Promise<Tensor[]> =>
      read(
        `data_type: TYPE_INT32 dims: [ 2 ] initial_state { data_type: TYPE_INT32 data_file: "${name}" }`,
      );

    await expect(file('four')).rejects.toThrow("initial state of 'I' expects 8 bytes, but");
    await expect(file('none')).rejects.toThrow('failed to open text file for read');
  });
});
