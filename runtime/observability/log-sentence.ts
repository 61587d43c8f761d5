// A line of the log as people read it: of whom, what, and the rest.

/** What pino hands over: the fields, with the message as `msg`. */
export type LogRecord = Readonly<Record<string, unknown>>;

/** "digits 1: model is ready (114 ms)". */
export function logSentence(record: LogRecord): string {
  const { msg, model, version, ms, ...others } = record;
  const subject = [model, version].filter((part) => part !== undefined && part !== '').join(' ');
  const details = Object.entries(others)
    .filter(([key]) => !PRINTED_ELSEWHERE.includes(key))
    .map(([key, value]) => `${key}=${text(value)}`);
  if (ms !== undefined) details.unshift(`${text(ms)} ms`);
  const end = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `${subject === '' ? '' : `${subject}: `}${text(msg)}${end}`;
}

const PRINTED_ELSEWHERE = ['level', 'time'];

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
