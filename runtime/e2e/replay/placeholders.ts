// What the transcripts write instead of things that differ from run to run, and back: `$REPO` the server's repository,
// `$FILE{path}` the contents of a fixture, `orc_` the beginning of shared memory keys, `$TMP` where a server put an override file.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withStrings } from './json.js';

export interface Placeholders {
  /** What is sent to the server. */
  readonly fill: <T>(value: T) => T;
  /** What is compared with the transcript. */
  readonly clean: <T>(value: T) => T;
}

const KEY = 'orc_';
const OVERRIDE_FILES = /(\/[\w.-]+)*\/folder\w{6}\b/g;

export function createPlaceholders(places: {
  readonly fixtures: string;
  readonly repository: string;
  readonly directory: string;
  /** Letters and digits that no other replay uses at the same time. */
  readonly tag: string;
}): Placeholders {
  const key = `orc${places.tag}_`;
  const fillText = (text: string): string => {
    const file = /^\$FILE\{(.+)\}$/.exec(text)?.[1];
    if (file !== undefined) return readFileSync(join(places.fixtures, file)).toString('base64');
    return text.replaceAll('$REPO', () => places.repository).replaceAll(KEY, key);
  };
  const cleanText = (text: string): string =>
    text
      .replaceAll(key, KEY)
      .replaceAll(places.repository, () => '$REPO')
      .replaceAll(places.directory, () => '$DIR')
      .replaceAll(OVERRIDE_FILES, () => '$TMP');
  return {
    fill: (value) => withStrings(value, fillText),
    clean: (value) => withStrings(value, cleanText),
  };
}
