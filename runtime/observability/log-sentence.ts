// A line of the log as people read it: of whom, what, and the rest.

/** What pino hands over: the fields, with the message as `msg`. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** "digits 1: model is ready (114 ms)". */
export function logSentence(record: LogRecord): string {
  const { msg, model, version, ms, ...others } = record;
  const subject = [model, version]
    .filter((part) => part !== undefined && part !== '')
    .map(text)
    .join(' ');
  const details = Object.entries(others)
    .filter(([key]) => !PRINTED_ELSEWHERE.includes(key))
    .map(([key, value]) => `${key}=${text(value)}`);
  if (ms !== undefined) details.unshift(`${text(ms)} ms`);
  const end = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `${subject === '' ? '' : `${subject}: `}${message(msg)}${end}`;
}

const PRINTED_ELSEWHERE = ['level', 'time'];

/** Ours, with lines of its own; what callers send may be in it. */
function message(msg: unknown): string {
  return String(msg).split('\n').map(text).join('\n');
}

/** On one line, and without what a terminal would obey: names and ids are what callers send. */
function text(value: unknown): string {
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return plain.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
