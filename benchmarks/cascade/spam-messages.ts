// The SMS Spam Collection as files have it, a line "ham" or "spam", a tab, the message; and which of them the sample models have never
// seen (side_of in tools/train_spam_light.py).

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface SpamMessage {
  readonly text: string;
  readonly isSpam: boolean;
}

export function readMessages(file: string): SpamMessage[] {
  const lines = readFileSync(file, 'utf8').replace(/\n+$/, '').split('\n');
  return lines.map((line) => {
    const tab = line.indexOf('\t');
    return { text: line.slice(tab + 1), isSpam: line.slice(0, tab) === 'spam' };
  });
}

export function heldOut(messages: readonly SpamMessage[]): SpamMessage[] {
  return messages.filter(({ text }) => isHeldOut(text));
}

/** One in five, by a hash of the words. */
export function isHeldOut(text: string): boolean {
  const words =
    text
      .toLowerCase()
      .replace(/[0-9]+/g, '0')
      .match(/[a-z]+|0/g) ?? [];
  const digest = createHash('sha256').update(words.join(' ')).digest();
  return digest.readBigUInt64BE() % 5n === 0n;
}
