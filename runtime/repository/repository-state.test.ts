import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestRepository } from '../testing/model-directory.js';
import { readRepositoryState } from './repository-state.js';

let repository: TestRepository;

beforeEach(async () => {
  repository = await TestRepository.create();
});

afterEach(async () => {
  await repository.remove();
});

describe('the state of the repositories', () => {
  it('changes with what is written to a model, and for that model alone', async () => {
    await repository.model('a', [1]);
    await repository.model('b', [1]);
    const before = await readRepositoryState([repository.path]);

    await repository.write('b/1/weights.bin', 'more');

    const after = await readRepositoryState([repository.path]);
    expect([...after.keys()]).toEqual(['a', 'b']);
    expect(after.get('a')).toBe(before.get('a'));
    expect(after.get('b')).not.toBe(before.get('b'));
  });

  it('has something to say of an empty directory, too', async () => {
    await mkdir(join(repository.path, 'empty'));

    expect((await readRepositoryState([repository.path])).get('empty')).not.toBe('');
  });

  it('changes when a model appears in a second repository', async () => {
    await repository.model('a', [1]);
    const second = await mkdtemp(join(tmpdir(), 'second-'));
    const before = await readRepositoryState([repository.path, second]);

    await mkdir(join(second, 'a'));

    const after = await readRepositoryState([repository.path, second]);
    expect(after.get('a')).not.toBe(before.get('a'));
    await rm(second, { recursive: true });
  });

  it('is unknown when a repository is not there', async () => {
    await expect(readRepositoryState([join(repository.path, 'nowhere')])).rejects.toThrow(
      'cannot be read: there is no such directory',
    );
  });
});
