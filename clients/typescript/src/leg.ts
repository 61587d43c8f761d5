// One attempt of a call at one address.

export interface Answer {
  readonly bytes: Buffer;
  readonly address: string;
}

/** An aborted signal cancels it at the server, too. */
export type Leg = (signal: AbortSignal) => Promise<Answer>;
