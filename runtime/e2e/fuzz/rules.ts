// How a request may end. Bad input is the caller's fault, so it is INVALID_ARGUMENT, NOT_FOUND or UNIMPLEMENTED (docs/errors.md);
// never UNKNOWN, and never UNAVAILABLE or DEADLINE_EXCEEDED, which would invite to try it again. INTERNAL, which stands for faults
// of the server, is only right with one of the texts given here.

import { status } from '@grpc/grpc-js';
import type { Outcome } from './outcome.js';

export interface Rules {
  /** The gRPC statuses it may have, each with the texts it may come with. */
  readonly statuses: Readonly<Partial<Record<number, RegExp>>>;
  /** The HTTP status that may take the place of a gRPC status. */
  readonly http?: number;
  /** It may end with its stream or connection, because its sender breaks them. */
  readonly mayClose?: true;
  /** Says what is wrong with the message that came with OK. */
  readonly checkAnswer?: (message: Buffer) => string | undefined;
}

const ANY = /^/;
const BACKEND_FAILED = /^onnx runtime error: /;
/** A name that is too long is cut, and the rest with it. */
const NO_SUCH_MODEL_TO_LOAD =
  /^failed to load '[^]*(?:', failed to poll from model repository|… \(\d+ characters\))$/;

/** Triton's status for it. */
const LONG_SEQUENCE_ID = /^string correlation ID cannot be longer than 128 characters$/;

const REFUSED_STATUSES = { [status.INVALID_ARGUMENT]: ANY, [status.NOT_FOUND]: ANY };

export const REFUSED: Rules = { statuses: REFUSED_STATUSES };
export const ANSWERED: Rules = { statuses: { [status.OK]: ANY } };
export const FAILED_IN_BACKEND: Rules = { statuses: { [status.INTERNAL]: BACKEND_FAILED } };
export const UNIMPLEMENTED: Rules = { statuses: { [status.UNIMPLEMENTED]: ANY } };

export const INFER: Rules = {
  statuses: {
    ...{ [status.OK]: ANY, ...REFUSED_STATUSES, [status.INTERNAL]: BACKEND_FAILED },
    [status.UNIMPLEMENTED]: LONG_SEQUENCE_ID,
  },
};

export const OTHER_CALL: Rules = {
  statuses: { [status.OK]: ANY, ...REFUSED_STATUSES, [status.UNIMPLEMENTED]: ANY },
};

/** Triton's status for a region that is not there. */
export const OPENING_CALL: Rules = {
  statuses: {
    ...OTHER_CALL.statuses,
    [status.INTERNAL]: /^Unable to open shared memory region: /,
  },
};

/** Triton's status for a model that is in no repository, on which its clients match. */
export const CONTROL_CALL: Rules = {
  statuses: { ...OTHER_CALL.statuses, [status.INTERNAL]: NO_SUCH_MODEL_TO_LOAD },
};

/** What is wrong with this end; undefined: nothing. */
export function faultOf(outcome: Outcome, rules: Rules): string | undefined {
  switch (outcome.end) {
    case 'hung':
      return 'it never ended';
    case 'closed':
      return rules.mayClose ? undefined : `it ended without a status: ${outcome.reason}`;
    case 'http':
      return rules.http === outcome.status ? undefined : `HTTP status ${outcome.status}`;
    case 'status':
      return statusFault(outcome, rules);
  }
}

// ---- details below; callers need not read ----

/** The limit at which clients of gRPC's C core, so those of Python and C++, may give up on a status. */
const LONGEST_TEXT_BYTES = 8 * 1024;

/** What terminals and log readers would obey is not printable; line ends and tabulators are. */
const PRINTABLE = /^(?:[^\p{Cc}\p{Cs}]|[\n\t])+$/u;

function statusFault(
  { code, details, message }: Extract<Outcome, { end: 'status' }>,
  { statuses, checkAnswer }: Rules,
): string | undefined {
  const allowed = statuses[code];
  const shown = details.length > 300 ? `${details.slice(0, 300)}…` : details;
  if (!allowed) return `${status[code] ?? code} is not allowed here: ${JSON.stringify(shown)}`;
  if (code === 0) return message && checkAnswer?.(message);
  if (!allowed.test(details)) return `${status[code]!} with the text ${JSON.stringify(shown)}`;
  if (!PRINTABLE.test(details)) return `a text that is not printable: ${JSON.stringify(shown)}`;
  const bytes = encodeURI(details).length;
  return bytes > LONGEST_TEXT_BYTES ? `a text of ${bytes} bytes: ${shown}` : undefined;
}
