// What the steps of a scenario do to files.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlaceholders } from './placeholders.js';
import { RepositoryCopy } from './repository-copy.js';
import { SharedMemoryFiles } from './shared-memory-files.js';

const LONG_AGO = new Date('2001-02-03T04:05:06Z');

let fixtures: string;
let copy: RepositoryCopy;

beforeEach(() => {
  fixtures = mkdtempSync(join(tmpdir(), 'inferd-fixtures-'));
  for (const name of ['repo/a/1', 'repo/b/1', 'parts/c/2']) {
    mkdirSync(join(fixtures, name), { recursive: true });
    writeFileSync(join(fixtures, name, 'model'), name);
    utimesSync(join(fixtures, name, 'model'), LONG_AGO, LONG_AGO);
  }
  copy = new RepositoryCopy(fixtures, { area: 'x', name: 'y', repository: 'repo', steps: [] });
});

afterEach(() => {
  copy.delete();
  rmSync(fixtures, { recursive: true });
});

const read = (path: string): string => readFileSync(join(copy.path, path), 'utf8');
const isOld = (path: string): boolean =>
  statSync(join(copy.path, path)).mtimeMs === LONG_AGO.getTime();
const models = (): string[] => readdirSync(copy.path).sort();

describe('RepositoryCopy', () => {
  it('holds the models asked for, with their times of modification', () => {
    const one = new RepositoryCopy(fixtures, {
      area: 'x',
      name: 'y',
      repository: 'repo',
      models: ['b'],
      steps: [],
    });

    expect([models(), readdirSync(one.path)]).toEqual([['a', 'b'], ['b']]);
    expect(isOld('a/1/model')).toBe(true);
    one.delete();
    expect(existsSync(one.directory)).toBe(false);
  });

  it('gets copies of files and directories, as new files', () => {
    copy.apply({ action: 'copy', path: 'c', from: 'parts/c' });
    copy.apply({ action: 'copy', path: 'a/1/model', from: 'parts/c/2/model' });
    copy.apply({ action: 'copy', path: 'b', from: 'parts/c' });
    copy.apply({ action: 'copy', path: 'd/3/model', from: 'parts/c/2/model' });

    expect(models()).toEqual(['a', 'b', 'c', 'd']);
    const paths = ['c/2/model', 'a/1/model', 'b/2/model', 'd/3/model'];
    expect(paths.map((path) => [read(path), isOld(path)])).toEqual(
      paths.map(() => ['parts/c/2', false]),
    );
    expect(read('b/1/model')).toBe('repo/b/1');
  });

  it('has files written, touched, moved and removed', () => {
    copy.apply({ action: 'touch', path: 'a/1/model' });
    copy.apply({ action: 'write', path: 'e/config.pbtxt', text: 'x' });
    copy.apply({ action: 'write', path: 'e/1/model', base64: 'eQ==' });
    copy.apply({ action: 'move', path: 'e/1', to: 'e/2' });
    copy.apply({ action: 'mkdir', path: 'f/1' });
    copy.apply({ action: 'remove', path: 'b' });
    copy.apply({ action: 'remove', path: 'a/1/model' });

    expect(models()).toEqual(['a', 'e', 'f']);
    expect([read('e/config.pbtxt'), read('e/2/model')]).toEqual(['x', 'y']);
    expect([readdirSync(join(copy.path, 'a/1')), readdirSync(join(copy.path, 'e')).sort()]).toEqual(
      [[], ['2', 'config.pbtxt']],
    );
    expect(() => copy.apply({ action: 'remove', path: 'b' })).toThrow('ENOENT');
  });
});

describe('createPlaceholders', () => {
  it('puts real places into requests and takes them out of answers', () => {
    const { path: repository, directory } = copy;
    const { fill, clean } = createPlaceholders({ fixtures, repository, directory, tag: '21001' });
    const request = {
      a: ['$REPO/a', '$FILE{parts/c/2/model}', 'see $FILE{x}'],
      key: '/orc_a',
      n: 1,
    };

    const filled = fill(request);

    const contents = Buffer.from('parts/c/2').toString('base64');
    expect(filled).toEqual({
      a: [`${repository}/a`, contents, 'see $FILE{x}'],
      key: '/orc21001_a',
      n: 1,
    });
    expect(clean(filled).a[0]).toBe('$REPO/a');
    expect(clean({ [filled.key]: `${directory}/x /tmp/folderAb12x9/1` })).toEqual({
      '/orc_a': '$DIR/x $TMP/1',
    });
    expect(() => fill('$FILE{nothing}')).toThrow('ENOENT');
  });
});

describe.skipIf(!existsSync('/dev/shm'))('SharedMemoryFiles', () => {
  it('reads back what was written, and leaves nothing behind', () => {
    const files = new SharedMemoryFiles();
    const key = `/inferd_test_${process.pid}`;

    files.apply({ action: 'create', key, size: 8 });
    files.apply({ action: 'write', key, offset: 2, base64: Buffer.from('abc').toString('base64') });

    const bytes = Buffer.from('\0\0abc\0\0\0');
    expect(files.apply({ action: 'read', key, size: 8 })).toEqual({
      base64: bytes.toString('base64'),
    });
    expect(files.apply({ action: 'read', key, offset: 3, size: 2 })).toEqual({ base64: 'YmM=' });
    files.deleteAll();
    expect(existsSync(`/dev/shm${key}`)).toBe(false);
  });
});
