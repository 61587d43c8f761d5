// Texts of errors as they may go into a gRPC status. They carry names that callers have sent, so of any length and with any
// characters; the status is a header, and a caller whose headers are too long gets no status at all.

/** Clients on gRPC's C core (Python, C++) may refuse headers of more than 8 KiB in all. */
const MOST_BYTES = 7 * 1024;

/** Controls, save tabulators and line ends: terminals and readers of logs would obey them. */

const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** A character becomes at most 9 bytes: three of UTF-8, each as %XX. */
const SHORT = Math.floor(MOST_BYTES / 9);

/** The text without what must not be in a status: controls are written as escapes, and what is too long is cut. */
export function statusText(text: string): string {
  if (text.length <= SHORT) return text.replace(CONTROL, escaped);
  const kept = fitting(text.slice(0, MOST_BYTES).replace(CONTROL, escaped).toWellFormed());
  return kept.length < text.length ? `${kept}… (${text.length} characters)` : kept;
}

// ---- details below; callers need not read ----

function escaped(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** The longest beginning, or nearly, that fits when it is percent-encoded, as HTTP/2 headers have it. */
function fitting(text: string): string {
  let kept = text;
  for (let bytes = sizeOf(kept); bytes > MOST_BYTES; bytes = sizeOf(kept))
    kept = kept.slice(0, Math.floor((kept.length * MOST_BYTES) / bytes)).toWellFormed();
  return kept;
}

function sizeOf(text: string): number {
  return encodeURI(text).length;
}
