// Texts of a model's code, which may be of any length and no texts at all. They go into logs, statuses and messages between threads.

export const LONGEST_TEXT = 8192;

/** Never throws, whatever it is given. */
export function shortText(value: unknown): string {
  if (typeof value === 'string') return cut(value);
  try {
    return cut(String(value));
  } catch {
    return `an ${typeof value} that has no text`;
  }
}

// ---- details below; callers need not read ----

function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)`;
}
