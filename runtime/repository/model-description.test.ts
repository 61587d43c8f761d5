import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidModelConfig, formatProblem } from '../config/config-problem.js';
import { TestRepository } from '../testing/model-directory.js';
import { describeModel, type ModelDescription } from './model-description.js';

let repository: TestRepository;

beforeEach(async () => {
  repository = await TestRepository.create();
});

afterEach(async () => {
  await repository.remove();
});

function describeM(hasGpu = false): Promise<ModelDescription> {
  return describeModel({ name: 'm', path: join(repository.path, 'm') }, { hasGpu });
}

async function problemsOf(config: string): Promise<string[]> {
  await repository.model('m', [1], config);
  try {
    await describeM();
  } catch (error) {
    if (error instanceof InvalidModelConfig) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}

describe('describeModel', () => {
  it('knows an ONNX model by its file, without any configuration', async () => {
    await repository.model('m', [1]);

    expect(await describeM()).toMatchObject({
      name: 'm',
      directory: join(repository.path, 'm'),
      hasConfigFile: false,
      versions: [1],
      warnings: [],
      message: {
        name: 'm',
        backend: 'onnxruntime',
        platform: 'onnxruntime_onnx',
        default_model_filename: 'model.onnx',
        version_policy: { latest: { num_versions: 1 } },
        instance_group: [{ kind: 'KIND_CPU', count: 2 }],
      },
    });
  });

  it('completes what the configuration says', async () => {
    await repository.model('m', [1], 'max_batch_size: 8 instance_group [ { count: 3 } ]');

    const { hasConfigFile, message } = await describeM();

    expect(hasConfigFile).toBe(true);
    expect(message).toMatchObject({
      name: 'm',
      backend: 'onnxruntime',
      max_batch_size: 8,
      instance_group: [{ name: 'm_0', kind: 'KIND_CPU', count: 3 }],
    });
  });

  it('takes an empty config.pbtxt for a configuration', async () => {
    await repository.model('m', [1], '');

    expect((await describeM()).hasConfigFile).toBe(true);
  });

  it('lets a model choose the GPU where there is one', async () => {
    await repository.model('m', [1]);

    expect((await describeM(true)).message.instance_group).toMatchObject([{ kind: 'KIND_GPU' }]);
  });

  it.each([
    ['the latest version', '', [10]],
    ['the latest two', 'version_policy { latest { num_versions: 2 } }', [2, 10]],
    ['all', 'version_policy { all { } }', [1, 2, 10]],
    ['those that are named and there', 'version_policy { specific { versions: [ 1, 7 ] } }', [1]],
    ['none where none of the named is there', 'version_policy { specific { versions: 7 } }', []],
  ])('serves %s', async (_what, config, versions) => {
    await repository.model('m', [1, 2, 10], config);

    const description = await describeM();

    expect(description.versions).toEqual(versions);
    expect([...description.sources.keys()]).toEqual(versions);
  });

  it('serves nothing of a directory without versions', async () => {
    await repository.model('m', [], 'backend: "onnxruntime"');

    expect(await describeM()).toMatchObject({ versions: [], hasConfigFile: true });
  });

  it('says what a directory without a configuration lacks', async () => {
    await mkdir(join(repository.path, 'm'));
    await expect(describeM()).rejects.toThrow(
      'there is no version directory; expected m/1/model.onnx',
    );

    await mkdir(join(repository.path, 'm', '3'));
    await expect(describeM()).rejects.toThrow('expected m/3/model.onnx; found no .onnx file');

    await repository.write('m/3/mine.onnx', '');
    await expect(describeM()).rejects.toThrow(
      'found mine.onnx: rename it, or name it as default_model_filename in config.pbtxt',
    );
  });

  it('warns of directories that are no versions, and of settings without an effect', async () => {
    await repository.model(
      'm',
      [1],
      'optimization { cuda { graphs: true } } parameters { key: "gpu_mem_limit" value { string_value: "1" } }',
    );
    await repository.write('m/02/model.onnx');
    await repository.write('m/warmup/data');

    expect((await describeM()).warnings).toEqual([
      "directory '02' is ignored: not a version number",
      'optimization.cuda is known only to CUDA graphs and ignored',
      "parameter 'gpu_mem_limit' cannot reach ONNX Runtime from Node and is ignored",
    ]);
  });
});

describe('the fingerprint of a version', () => {
  async function fingerprints(): Promise<(string | undefined)[]> {
    const { sources } = await describeM();
    return [1, 2].map((version) => sources.get(version)?.fingerprint);
  }

  beforeEach(async () => {
    await repository.model('m', [1, 2], 'version_policy { all { } }');
  });

  it('stays as long as nothing is touched', async () => {
    expect(await fingerprints()).toEqual(await fingerprints());
  });

  it('changes with the files of that version alone', async () => {
    const [one, two] = await fingerprints();

    await repository.write('m/2/model.onnx', 'another model');

    const [oneNow, twoNow] = await fingerprints();
    expect(oneNow).toBe(one);
    expect(twoNow).not.toBe(two);
  });

  it('changes with the configuration, for all versions', async () => {
    const [one, two] = await fingerprints();

    await repository.write('m/config.pbtxt', 'version_policy { all { } } max_batch_size: 1');

    const [oneNow, twoNow] = await fingerprints();
    expect(oneNow).not.toBe(one);
    expect(twoNow).not.toBe(two);
  });

  it('stays when the configuration says the same in other words', async () => {
    await repository.write('m/config.pbtxt', 'version_policy { all { } } max_batch_size: 1');
    const before = await fingerprints();

    await repository.write(
      'm/config.pbtxt',
      '# one\nmax_batch_size: 1\nversion_policy { all { } }',
    );

    expect(await fingerprints()).toEqual(before);
  });

  it.each([
    ['instance groups', 'version_policy { all { } } instance_group [ { count: 5 } ]'],
    ['the version policy', 'version_policy { latest { num_versions: 2 } }'],
  ])('stays when %s change, which can change while a version serves', async (_what, config) => {
    const before = await describeM();

    await repository.write('m/config.pbtxt', config);

    const after = await describeM();
    expect(after.sources.get(1)?.fingerprint).toBe(before.sources.get(1)?.fingerprint);
    expect(after.sources.get(1)?.inPlace).not.toBe(before.sources.get(1)?.inPlace);
  });

  it('changes with labels, for all versions, and ends at links that lead around in a circle', async () => {
    await symlink('..', join(repository.path, 'm', '1', 'around'));
    const [one, two] = await fingerprints();

    await repository.write('m/labels.txt', 'yes\nno');

    const [oneNow, twoNow] = await fingerprints();
    expect(oneNow).not.toBe(one);
    expect(twoNow).not.toBe(two);
  });

  it('changes when the configuration goes', async () => {
    await repository.model('m', [1]);
    const [, two] = await fingerprints();

    await repository.remove('m/config.pbtxt');

    expect((await fingerprints())[1]).not.toBe(two);
  });
});

describe('a configuration that a load call brought', () => {
  function describeWith(configOverride: string): Promise<ModelDescription> {
    const directory = { name: 'm', path: join(repository.path, 'm') };
    return describeModel(directory, { hasGpu: false, configOverride });
  }

  it('stands in for config.pbtxt', async () => {
    await repository.model('m', [1], 'max_batch_size: 8');

    const { message, hasConfigFile, written } = await describeWith('{"maxBatchSize": 2}');

    expect(message).toMatchObject({ name: 'm', backend: 'onnxruntime', max_batch_size: 2 });
    expect([hasConfigFile, written.origin]).toEqual([true, 'load call']);
  });

  it('is another to load from than that of the directory', async () => {
    await repository.model('m', [1], 'max_batch_size: 8');

    const [own, brought, again] = [
      await describeM(),
      await describeWith('{"max_batch_size": 2}'),
      await describeWith('{"maxBatchSize": "2"}'),
    ];

    expect(brought.sources).not.toEqual(own.sources);
    expect(again.sources).toEqual(brought.sources);
  });

  it('is refused with everything that is wrong with it', async () => {
    await repository.model('m', [1]);

    const refused = describeWith('{"max_batch_size": "x", "input": [{"dim": 1}], "name": "other"}');

    await expect(refused).rejects.toMatchObject({
      problems: [{ path: 'max_batch_size' }, { path: 'input[0].dim' }],
    });
  });
});

describe('a configuration that is wrong', () => {
  it('is refused with every problem of its text', async () => {
    expect(await problemsOf('max_batch_size: eight\ninput { dims: x }')).toEqual([
      expect.stringMatching(/^config\.pbtxt:1:17: max_batch_size: /),
      expect.stringMatching(/^config\.pbtxt:2:15: input\[0\]\.dims/),
    ]);
  });

  it('is refused with every problem of its values', async () => {
    const problems = await problemsOf(
      'max_batch_size: -1 dynamic_batching { preferred_batch_size: [ 0 ] }',
    );

    expect(problems).toEqual([
      expect.stringMatching(/^max_batch_size: /),
      expect.stringMatching(/^dynamic_batching\.preferred_batch_size\[0\]: /),
    ]);
  });

  it('is refused at once with what only its tensors have, where the model completes nothing', async () => {
    const directory = { name: 'm', path: join(repository.path, 'm') };
    const options = { hasGpu: false, autoComplete: false };
    await repository.model('m', [1], 'input { name: "A" data_type: TYPE_FP32 dims: [ 0 ] }');

    await expect(describeModel(directory, options)).rejects.toMatchObject({
      problems: [{ path: 'input[0].dims' }],
    });
    await repository.remove('m/config.pbtxt');
    await expect(describeModel(directory, options)).rejects.toThrow('there is no config.pbtxt');
    await repository.write('m/config.pbtxt', 'max_batch_size: 4');
    expect((await describeModel(directory, options)).versions).toEqual([1]);
  });

  it('is refused when it is for a model of another name', async () => {
    expect(await problemsOf('name: "other"')).toHaveLength(1);
  });

  it('is refused when it cannot be read', async () => {
    await repository.model('m', [1]);
    await mkdir(join(repository.path, 'm', 'config.pbtxt'));

    await expect(describeM()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/^config\.pbtxt cannot be read: EISDIR/) as string,
    });
  });

  it('is no error of a model that is not there, which is another', async () => {
    await expect(describeM()).rejects.not.toBeInstanceOf(InvalidModelConfig);
  });
});
