import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PuppetLoads, TestRepository } from '../testing/model-directory.js';
import { holdOverrideFiles, showModelCard } from './load-layers.js';
import { readModelCard } from './model-card.js';
import { describeModel, type ModelDescription } from './model-description.js';

let repository: TestRepository;

beforeEach(async () => {
  repository = await TestRepository.create();
  await repository.model('m', [1]);
});

afterEach(async () => {
  await repository.remove();
});

function described(): Promise<ModelDescription> {
  return describeModel({ name: 'm', path: join(repository.path, 'm') }, { hasGpu: false });
}

async function propertiesOf(card: unknown): Promise<unknown> {
  const text = typeof card === 'string' ? card : JSON.stringify(card);
  await repository.write('m/1/model.json', text);
  return readModelCard(await described(), 1);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const WRONG = '0'.repeat(64);

describe('model.json', () => {
  it('need not be there', async () => {
    expect(await readModelCard(await described(), 1)).toBeUndefined();
  });

  it('becomes flat properties', async () => {
    const card = {
      author: 'me',
      metrics: { accuracy: 0.99, auc: null },
      approved: true,
      tags: ['a', 'b'],
      none: {},
    };

    expect(await propertiesOf(card)).toEqual({
      author: 'me',
      'metrics.accuracy': '0.99',
      'metrics.auc': 'null',
      approved: 'true',
      'tags.0': 'a',
      'tags.1': 'b',
    });
  });

  it.each([
    ['{', /^model\.json of version 1 of model 'm' is not JSON: /],
    ['[1]', /must be a JSON object, such as \{"author": "me"\}$/],
    ['{"a":'.repeat(9) + '1' + '}'.repeat(9), /is nested more than 8 deep at a(\.a){7}$/],
    [' '.repeat(1_048_577), /has 1048577 bytes; at most 1048576 are read$/],
  ])('%.20s… is refused', async (text, message) => {
    await expect(propertiesOf(text)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    });
  });

  it('vouches for the model file', async () => {
    const digest = sha256('m 1');

    expect(await propertiesOf({ sha256: digest.toUpperCase() })).toEqual({
      sha256: digest.toUpperCase(),
    });
    await expect(propertiesOf({ sha256: WRONG })).rejects.toThrow(
      `model.onnx of version 1 of model 'm' has sha256 ${digest}, model.json says ${WRONG}`,
    );
  });

  it('vouches for any files of the version', async () => {
    await repository.write('m/1/weights/part.bin', 'weights');
    const good = { 'model.onnx': sha256('m 1'), 'weights/part.bin': sha256('weights') };

    await expect(propertiesOf({ sha256: good })).resolves.toBeDefined();
    await expect(propertiesOf({ sha256: { ...good, 'weights/part.bin': WRONG } })).rejects.toThrow(
      "weights/part.bin of version 1 of model 'm' has sha256",
    );
  });

  it.each([
    [{ sha256: 'abc' }, 'must have 64 hexadecimal digits as sha256 of model.onnx'],
    [{ sha256: 7 }, 'must have 64 hexadecimal digits as sha256 of model.onnx'],
    [{ sha256: { 'gone.bin': WRONG } }, "names 'gone.bin', which cannot be read: ENOENT"],
    [{ sha256: { '../config.pbtxt': WRONG } }, 'which leads out of the directory of the version'],
    [{ sha256: { '/etc/passwd': WRONG } }, 'which leads out of the directory of the version'],
  ])('%j is refused', async (card, message) => {
    await expect(propertiesOf(card)).rejects.toThrow(message);
  });
});

describe('a version with a model.json', () => {
  it('shows it, also after its instance groups have changed', async () => {
    await repository.write('m/1/model.json', '{"author": "me"}');
    const loads = new PuppetLoads();
    const description = await described();

    const loaded = await holdOverrideFiles(showModelCard(loads.loadVersion))(description, 1);
    const updated = await loaded.update(description);
    await loaded.close();

    expect([loaded.model.properties, updated.properties]).toEqual([
      { author: 'me' },
      { author: 'me' },
    ]);
    expect(loads.log).toEqual(['load m:1', 'update m:1', 'close m:1']);
  });

  it('is not loaded when it is wrong', async () => {
    await repository.write('m/1/model.json', JSON.stringify({ sha256: WRONG }));
    const loads = new PuppetLoads();

    await expect(showModelCard(loads.loadVersion)(await described(), 1)).rejects.toThrow('sha256');

    expect(loads.log).toEqual([]);
  });
});
