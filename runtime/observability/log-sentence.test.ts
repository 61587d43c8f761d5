import { describe, expect, it } from 'vitest';
import { logSentence } from './log-sentence.js';

describe('logSentence', () => {
  it.each([
    [{ level: 30, time: 1, msg: 'goodbye' }, 'goodbye'],
    [
      { msg: 'model is ready', model: 'digits', version: 1, ms: 114 },
      'digits 1: model is ready (114 ms)',
    ],
    [{ msg: 'it has no version to serve', model: 'm' }, 'm: it has no version to serve'],
    [{ msg: 'finishing', signal: 'SIGINT' }, 'finishing (signal=SIGINT)'],
    [
      { msg: 'request', model: 'm', version: '2', id: 'a', code: 'OK', ms: 4, queueMs: 0.5 },
      'm 2: request (4 ms, id=a, code=OK, queueMs=0.5)',
    ],
    [{ msg: 'no', model: 'a\nb\u001b[31m', id: '\u009b' }, 'a\\u000ab\\u001b[31m: no (id=\\u009b)'],
  ])('of %j is "%s"', (record, sentence) => {
    expect(logSentence(record)).toBe(sentence);
  });
});
