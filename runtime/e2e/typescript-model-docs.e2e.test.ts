// The models of docs/typescript-models.md, run as they stand there.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fp32Output, inferRequest, rawOutput } from './harness/requests.js';
import { texts } from './harness/script-model.js';
import { serving } from './harness/serving.js';
import { TemporaryRepository } from './harness/temporary-repository.js';

const PAGE = readFileSync(new URL('../../docs/typescript-models.md', import.meta.url), 'utf8');

/** The block below the line that names the file. */
function fileOf(name: string): string {
  const block = PAGE.split(`\n\`${name}\`:\n`)[1]?.split(/```\w*\n/)[1];
  if (block === undefined) throw new Error(`the page has no file ${name}`);
  return block;
}

describe('the models of the page', () => {
  const repository = new TemporaryRepository();
  for (const model of ['filter', 'session'])
    for (const file of [`${model}/1/model.ts`, `${model}/config.pbtxt`])
      repository.write(file, fileOf(file));
  const here = serving(repository);

  it('filter texts', async () => {
    const request = inferRequest('filter', [
      texts('text', [2, 1], ['claim your prize', 'see you at nine']),
    ]);

    expect(fp32Output(await here.client.infer(request), 'score')).toEqual([1, 0]);
  });

  it('remember what a session has seen', async () => {
    const isFresh = async (item: string, start = false): Promise<boolean> => {
      const parameters = {
        sequence_id: { string_param: 'ada' },
        sequence_start: { bool_param: start },
      };
      const request = inferRequest('session', [texts('item', [1, 1], [item])], { parameters });
      return rawOutput(await here.client.infer(request), 'fresh')[0] === 1;
    };

    expect(await isFresh('shoes', true)).toBe(true);
    expect(await isFresh('socks')).toBe(true);
    expect(await isFresh('shoes')).toBe(false);
    expect(await isFresh('shoes', true)).toBe(true);
  });
});
