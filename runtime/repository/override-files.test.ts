import { readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OverrideFiles } from './override-files.js';

const bytes = Buffer.from('model');

async function exists(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}

describe('OverrideFiles', () => {
  it('are a directory of their own until the last who holds it lets go', async () => {
    const files = await OverrideFiles.write(
      new Map([
        ['1/model.onnx', bytes],
        ['labels.txt', bytes],
      ]),
    );
    expect(await readFile(join(files.path, '1/model.onnx'))).toEqual(bytes);
    expect(files.path.startsWith(join(tmpdir(), 'inferd-override-'))).toBe(true);

    files.hold();
    await files.release();
    expect(await exists(files.path)).toBe(true);
    await files.release();

    expect(await exists(files.path)).toBe(false);
    expect(() => files.hold()).toThrow('This is a bug.');
  });

  it.each(['../x', '1/../../x', '/etc/x', '1//x', './x', '', '1/', 'a\0b'])(
    'are refused with a file %j, which is not inside',
    async (path) => {
      await expect(OverrideFiles.write(new Map([[path, bytes]]))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: `load parameter 'file:${path}' must name a file inside the directory of the model, such as 'file:1/model.onnx'`,
      });
    },
  );

  it('leave nothing behind when they cannot be written', async () => {
    const files = new Map([
      ['one', bytes],
      ['one/two', bytes],
    ]);
    const before = await readdir(tmpdir());

    await expect(OverrideFiles.write(files)).rejects.toThrow(
      'the files of the load call cannot be written: ',
    );

    const left = (await readdir(tmpdir())).filter((name) => name.startsWith('inferd-override-'));
    expect(left.filter((name) => !before.includes(name))).toEqual([]);
  });
});
