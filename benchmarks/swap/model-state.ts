// What the model answers while operations change it, and whether every answer of a load was right: one that the model gave at some
// time between the sending of the request and its answer.

import { FAILED, WRONG, type RequestLog } from '../load/request-log.js';

export interface Operation {
  /** Milliseconds of the machine's monotonic clock: just before the files change, and when the call has been answered. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Index of the answer afterwards; the one before is that of the operation before. */
  readonly answer: number;
}

export interface Verdict {
  readonly requests: number;
  readonly failed: number;
  /** Answers that the model never gives. */
  readonly wrong: number;
  /** Answers that it gives, but not at that time. */
  readonly stale: number;
}

/** @param operations one after the other; `first` is the answer before them */
export function judge(log: RequestLog, first: number, operations: readonly Operation[]): Verdict {
  let [failed, wrong, stale] = [0, 0, 0];
  log.outcomes.forEach((outcome, i) => {
    const request = { sentAt: log.sentAt[i]!, endedAt: log.endedAt[i]! };
    if (outcome === FAILED) failed++;
    else if (outcome === WRONG) wrong++;
    else if (!rightAnswers(request, first, operations).includes(outcome)) stale++;
  });
  return { requests: log.outcomes.length, failed, wrong, stale };
}

// ---- details below; callers need not read ----

function rightAnswers(
  { sentAt, endedAt }: { readonly sentAt: number; readonly endedAt: number },
  first: number,
  operations: readonly Operation[],
): number[] {
  // How many operations were over when the request was sent.
  let [over, beyond] = [0, operations.length];
  while (over < beyond) {
    const middle = (over + beyond) >> 1;
    if (operations[middle]!.endedAt <= sentAt) over = middle + 1;
    else beyond = middle;
  }
  const answers = [over === 0 ? first : operations[over - 1]!.answer];
  for (let i = over; i < operations.length && operations[i]!.startedAt < endedAt; i++)
    answers.push(operations[i]!.answer);
  return answers;
}
