// The transcripts: what one scenario says, read from its file. golden/README.md describes the format. A word this reader does not
// know is refused: a rule that nobody follows would look like a rule that holds.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Compression } from './golden-client.js';
import type { HttpRequest } from './http-get.js';
import { spelled, type JsonObject } from './json.js';
import type { FileAction } from './repository-copy.js';
import { RULE_WORDS, type Rules } from './rules.js';
import type { SharedMemoryAction } from './shared-memory-files.js';

export interface Scenario {
  readonly area: string;
  readonly name: string;
  readonly about?: string;
  readonly visible?: boolean;
  readonly repository?: string;
  /** Entries of the repository to serve; all of them when left out. */
  readonly models?: readonly string[];
  readonly flags?: readonly string[];
  /** What to wait for before the steps: that ServerReady says true when left out. */
  readonly ready?: 'ready' | 'live' | 'exit';
  readonly startup?: Startup;
  readonly start_limit_s?: number;
  /** One process may serve this scenario and others with the same server, one after another. */
  readonly share?: boolean;
  readonly steps: readonly Step[];
}

/** How a start ends: the server is up, or its process has exited with this code. */
export type Startup =
  readonly ['up', null] | readonly ['exit', number] | readonly ['timeout', null];

export interface Step {
  readonly note?: string;
  readonly rpc?: string;
  readonly request?: JsonObject;
  /** Of a stream. */
  readonly requests?: readonly JsonObject[];
  /** Each request of the stream waits for a response to the one before. */
  readonly lockstep?: boolean;
  readonly gap_ms?: number;
  /** How long the stream stays open after its last request. */
  readonly hold_ms?: number;
  readonly cancel_after_responses?: number;
  readonly cancel_after_ms?: number;
  readonly deadline_ms?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly compression?: Compression;
  readonly fs?: FileAction;
  readonly shm?: SharedMemoryAction;
  readonly http?: HttpRequest;
  readonly sleep_ms?: number;
  readonly signal?: string;
  /** Milliseconds. */
  readonly wait_exit?: number;
  readonly delay_ms?: number;
  /** Neighbours of one group are issued at once, each after its own delay. */
  readonly group?: string;
  /** For so long the step is repeated until its outcome is as expected. */
  readonly poll_ms?: number;
  /** Only the recording waited for this. */
  readonly settle_ms?: number;
  readonly compare?: Rules;
  readonly expect?: JsonObject;
}

const SCENARIO_WORDS: readonly (keyof Scenario)[] = [
  ...(['area', 'name', 'about', 'visible', 'repository', 'models', 'flags', 'ready'] as const),
  ...(['startup', 'start_limit_s', 'share', 'steps'] as const),
];
const STEP_WORDS: readonly (keyof Step)[] = [
  ...(['note', 'rpc', 'request', 'requests', 'lockstep', 'gap_ms', 'hold_ms'] as const),
  ...(['cancel_after_responses', 'cancel_after_ms', 'deadline_ms', 'metadata'] as const),
  ...(['compression', 'fs', 'shm', 'http', 'sleep_ms', 'signal', 'wait_exit', 'delay_ms'] as const),
  ...(['group', 'poll_ms', 'settle_ms', 'compare', 'expect'] as const),
];

/** Every scenario below a directory, area by area; those that can share a server stand together. */
export function loadScenarios(directory: string): Scenario[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const scenarios = files
    .filter((file) => file.endsWith('.json'))
    .map((file) => parseScenario(readFileSync(join(directory, file), 'utf8'), file));
  const place = (scenario: Scenario): string => {
    const shared = scenario.share === true;
    return spelled([
      scenario.area,
      shared ? 0 : 1,
      shared ? serverKey(scenario) : '',
      scenario.name,
    ]);
  };
  return scenarios.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** @throws when it holds a word that this replayer does not know */
export function parseScenario(text: string, file: string): Scenario {
  const scenario = JSON.parse(text) as Scenario;
  refuseUnknown(scenario, SCENARIO_WORDS, file);
  for (const step of scenario.steps) {
    refuseUnknown(step, STEP_WORDS, file);
    refuseUnknown(step.compare ?? {}, RULE_WORDS, file);
  }
  return scenario;
}

/** Equal for scenarios that can be played on the same server. */
export function serverKey({ repository, models, flags, ready }: Scenario): string {
  return JSON.stringify([repository, models, flags, ready]);
}

/** Steps that are issued together: neighbours of one group, else one alone. `first` is the index of the first of them. */
export function batchesOf(steps: readonly Step[]): { first: number; steps: Step[] }[] {
  const batches: { first: number; steps: Step[] }[] = [];
  for (const [index, step] of steps.entries()) {
    const before = batches.at(-1);
    if (step.group !== undefined && before?.steps[0]?.group === step.group) before.steps.push(step);
    else batches.push({ first: index, steps: [step] });
  }
  return batches;
}

function refuseUnknown(value: object, words: readonly string[], file: string): void {
  const unknown = Object.keys(value).filter((word) => !words.includes(word));
  if (unknown.length > 0) throw new Error(`${file}: unknown words: ${unknown.join(', ')}`);
}
