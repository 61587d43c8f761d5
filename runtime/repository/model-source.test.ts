import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprint, findModel, listRepositories, readVersions } from './model-source.js';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'model-source-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function directory(...names: string[]): Promise<string> {
  const path = join(root, ...names);
  await mkdir(path, { recursive: true });
  return path;
}

describe('listRepositories', () => {
  it('lists directories by name, and not files', async () => {
    const repository = await directory('repository');
    await directory('repository', 'b');
    await directory('repository', 'a');
    await writeFile(join(repository, 'stray.txt'), '');

    const listing = await listRepositories([repository]);

    expect([...listing.keys()]).toEqual(['a', 'b']);
  });

  it('takes what file systems and Kubernetes put beside them for no models', async () => {
    const repository = await directory('repository');
    await directory('repository', 'm');
    for (const name of ['.cache', '..data', 'lost+found']) await directory('repository', name);

    expect([...(await listRepositories([repository])).keys()]).toEqual(['m']);
  });

  it('follows symbolic links to directories, as Kubernetes mounts volumes', async () => {
    const repository = await directory('repository');
    await symlink(await directory('elsewhere'), join(repository, 'linked'));
    await symlink(join(root, 'nowhere'), join(repository, 'broken'));

    expect([...(await listRepositories([repository])).keys()]).toEqual(['linked']);
  });

  it('shows a name that is in two repositories with both places', async () => {
    const [first, second] = [await directory('first'), await directory('second')];
    await directory('first', 'm');
    await directory('second', 'm');

    const listing = await listRepositories([first, second]);

    expect(listing.get('m')?.map(({ path }) => path)).toEqual([
      join(first, 'm'),
      join(second, 'm'),
    ]);
  });

  it('fails for a repository that is not there', async () => {
    await expect(listRepositories([join(root, 'nowhere')])).rejects.toThrow(
      `model repository '${join(root, 'nowhere')}' cannot be read: there is no such directory`,
    );
  });
});

describe('findModel', () => {
  it('finds the directory of a name in every repository that has one', async () => {
    const [first, second] = [await directory('first'), await directory('second')];
    await symlink(await directory('first', 'm'), join(second, 'm'));
    await writeFile(join(first, 'file'), '');

    expect(await findModel([first, second], 'm')).toEqual([
      { name: 'm', path: join(first, 'm') },
      { name: 'm', path: join(second, 'm') },
    ]);
    expect(await findModel([first, second], 'file')).toEqual([]);
    expect(await findModel([first, second], 'nosuch')).toEqual([]);
  });

  it.each(['', '.', '..', '.git', 'lost+found', 'm/1', '../first/m', 'a\0b', 'x'.repeat(300)])(
    'takes %j for no name of a model',
    async (name) => {
      const first = await directory('first');
      for (const path of ['.git', 'lost+found', 'm/1']) await directory('first', path);

      expect(await findModel([first], name)).toEqual([]);
    },
  );

  it('says when the repository is not there rather than that the model is not', async () => {
    await expect(findModel([join(root, 'nowhere')], 'm')).rejects.toThrow(
      `model repository '${join(root, 'nowhere')}' cannot be read: there is no such directory`,
    );
  });
});

describe('readVersions', () => {
  it('takes directories named by whole numbers for versions, in their order', async () => {
    for (const name of ['2', '10', '1', '0', '03', 'abc', 'warmup', '-1'])
      await directory('m', name);
    await writeFile(join(root, 'm', '7'), 'a file');

    const contents = await readVersions(join(root, 'm'));

    expect(contents.versions).toEqual([0, 1, 2, 10]);
    expect([...contents.ignored].sort()).toEqual(['-1', '03', 'abc']);
  });
});

describe('fingerprint', () => {
  it('changes with what is written, added and removed', async () => {
    const version = await directory('m', '1');
    const file = join(version, 'model.onnx');
    await writeFile(file, 'one');
    const prints = [await fingerprint(version)];

    await utimes(file, new Date(), new Date(1));
    prints.push(await fingerprint(version));
    await writeFile(join(version, 'more'), '');
    prints.push(await fingerprint(version));
    await rm(file);
    prints.push(await fingerprint(version));

    expect(new Set(prints).size).toBe(4);
  });

  it('stays the same as long as nothing is touched', async () => {
    const version = await directory('m', '1');
    await writeFile(join(version, 'model.onnx'), 'one');

    expect(await fingerprint(version)).toBe(await fingerprint(version));
    expect(await fingerprint(join(root, 'nowhere'))).toBe('');
  });
});
