// What came of one step, in the form of the transcripts' `expect`.

import type { JsonObject } from './json.js';

export interface Outcome {
  readonly answer: JsonObject;
  /** Of a call: from its start to its end, in milliseconds. */
  readonly tookMs?: number;
  /** On the clock of performance.now(). */
  readonly endedAt: number;
}

/** The step could not be carried out at all; never equal to anything expected. */
export interface Breakdown {
  readonly broken: string;
}
