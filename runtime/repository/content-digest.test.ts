import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { contentDigest } from './content-digest.js';
import { fingerprint } from './model-source.js';

const ROOT = mkdtempSync(join(tmpdir(), 'inferd-digest-'));
let count = 0;

function directory(files: Readonly<Record<string, string>>): string {
  const path = join(ROOT, String(count++));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

async function digest(path: string): Promise<string> {
  return contentDigest(path, await fingerprint(path));
}

afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

describe('contentDigest', () => {
  const files = { 'model.onnx': 'abc', 'data/weights': 'w' };

  it('is the same for the same names and bytes, wherever and whenever they were written', async () => {
    const [one, other] = [directory(files), directory(files)];
    utimesSync(join(other, 'model.onnx'), 1, 1);

    expect(await digest(one)).toBe(await digest(other));
  });

  it('sees through links, by which Kubernetes mounts', async () => {
    const one = directory(files);
    const other = directory({ 'model.onnx': 'abc' });
    symlinkSync(join(one, 'data'), join(other, 'data'));

    expect(await digest(one)).toBe(await digest(other));
  });

  it.each([
    [{ 'model.onnx': 'abd', 'data/weights': 'w' }],
    [{ 'model.onnx': 'abc', 'data/weight': 'w' }],
    [{ 'model.onnx': 'abc', weights: 'w' }],
    [{ 'model.onnx': 'abc', 'data/weights': 'w', more: '' }],
    [{ 'model.onnx': 'abc' }],
  ])('differs for %o', async (changed) => {
    expect(await digest(directory(changed))).not.toBe(await digest(directory(files)));
  });

  it('is like no other when the files have changed since', async () => {
    const path = directory(files);
    const before = await fingerprint(path);
    writeFileSync(join(path, 'model.onnx'), 'abcd');

    const digests = [await contentDigest(path, before), await contentDigest(path, before)];

    expect(new Set([...digests, await digest(path)]).size).toBe(3);
  });
});
