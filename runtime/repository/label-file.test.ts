import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestRepository } from '../testing/model-directory.js';
import { readLabels, readLabelsIfAny } from './label-file.js';

let model: TestRepository;

beforeEach(async () => {
  model = await TestRepository.create();
});

afterEach(async () => {
  await model.remove();
});

describe.each([
  ['readLabels', readLabels],
  ['readLabelsIfAny', readLabelsIfAny],
])('%s', (_name, read) => {
  it.each([
    ['lines that end in a line feed', 'ham\nspam\n', ['ham', 'spam']],
    ['lines of Windows', 'ham\r\nspam\r\n', ['ham', 'spam']],
    ['a last line without an end', 'ham\nspam', ['ham', 'spam']],
    [
      'empty lines, which are labels of their own',
      '\nham\n\nspam\n\n',
      ['', 'ham', '', 'spam', ''],
    ],
    ['blanks, which belong to the label', ' a b \n', [' a b ']],
    ['any language', 'Äpfel\n世界\n', ['Äpfel', '世界']],
    ['nothing', '', []],
  ])('reads %s', async (_what, content, labels) => {
    await model.write('labels.txt', content);

    expect(await read(model.path, 'labels.txt')).toEqual(labels);
  });

  it('reads a file below the directory of the model', async () => {
    await model.write('texts/labels.txt', 'a\n');

    expect(await read(model.path, 'texts/labels.txt')).toEqual(['a']);
  });

  it('fails for what is no file', async () => {
    await mkdir(join(model.path, 'labels.txt'));

    await expect(read(model.path, 'labels.txt')).rejects.toThrow('EISDIR');
  });
});

describe('a label file that is not there', () => {
  it('is an error where the configuration names it, in the words of Triton', async () => {
    await expect(readLabels(model.path, 'labels.txt')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: `failed to open text file for read ${join(model.path, 'labels.txt')}: No such file or directory`,
    });
  });

  it('is none where nothing names it', async () => {
    expect(await readLabelsIfAny(model.path, 'labels.txt')).toBeUndefined();
  });
});
