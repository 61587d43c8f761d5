// What a benchmark that holds claims against the server has found out: for people, and for programs.

import type { Claim } from '../report/claim.js';
import { claimText } from '../report/claim.js';
import { measuredOn } from '../report/machine.js';
import type { Machine } from '../report/result.js';
import { markdownTable, terminalTable, type TextTable } from '../report/text-table.js';

export interface Outcome {
  readonly tables: readonly TextTable[];
  /** Sentences about what the tables do not say. */
  readonly notes: readonly string[];
  readonly claims: readonly Claim[];
  /** Everything that was measured. */
  readonly figures: unknown;
}

/** As it stands in a JSON file. */
export interface BenchRecord extends Outcome {
  readonly bench: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
}

export function terminalText({ tables, notes, claims }: Outcome): string {
  const blocks = [...tables.map(terminalTable), lines(notes), lines(claims.map(claimText))];
  return blocks.filter((block) => block !== '').join('\n');
}

export function documentText(record: BenchRecord): string {
  const items = (texts: readonly string[]): string => texts.map((text) => `- ${text}`).join('\n');
  const { tables, notes, claims } = record;
  const blocks = [
    `${measuredOn(record)}.`,
    ...tables.map((table) => markdownTable(table).trimEnd()),
    items(claims.map(claimText)),
    items(notes),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
