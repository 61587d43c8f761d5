// What became of a request, as its caller sees it.

export type Outcome =
  | {
      readonly end: 'status';
      readonly code: number;
      readonly details: string;
      /** The response message, if there was one. */
      readonly message?: Buffer;
    }
  /** Refused by HTTP, before gRPC began. */
  | { readonly end: 'http'; readonly status: number }
  /** The stream or its connection is gone, without a status. */
  | { readonly end: 'closed'; readonly reason: string }
  | { readonly end: 'hung' };

/** For counting. */
export function labelOf(outcome: Outcome): string {
  switch (outcome.end) {
    case 'status':
      return STATUS_NAMES[outcome.code] ?? `status ${outcome.code}`;
    case 'http':
      return `HTTP ${outcome.status}`;
    case 'closed':
    case 'hung':
      return outcome.end;
  }
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  0: 'OK',
  1: 'CANCELLED',
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  4: 'DEADLINE_EXCEEDED',
  5: 'NOT_FOUND',
  8: 'RESOURCE_EXHAUSTED',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
};
