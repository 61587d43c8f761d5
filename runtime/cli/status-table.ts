// The table of models that a person sees when the server has started.

import Table from 'cli-table3';
import type { ModelIndexEntry } from '../core/model-control.js';

/** `problems` by model name: everything that is wrong with it, beyond the reason of the entry. */
export function statusTable(
  entries: readonly ModelIndexEntry[],
  problems: ReadonlyMap<string, readonly string[]>,
): string {
  if (entries.length === 0) return 'No models in the repository.';
  const table = new Table({
    head: ['Model', 'Version', 'Status', 'Reason'],
    style: { head: [], border: [] },
  });
  for (const { name, version, state, reason } of entries) {
    const known = problems.get(name) ?? [];
    const lines = state === 'READY' ? [] : known.length > 0 ? known : [reason].filter(Boolean);
    const failed = state === '' && known.length > 0;
    table.push([
      name,
      version ?? '',
      failed ? 'UNAVAILABLE' : state || 'not loaded',
      wrapped(lines),
    ]);
  }
  return table.toString();
}

const REASON_WIDTH = 90;

function wrapped(lines: readonly string[]): string {
  return lines.map((line) => wrap(line.trim())).join('\n');
}

function wrap(text: string): string {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + word.length >= REASON_WIDTH) {
      rows.push(row);
      row = '';
    }
    row += (row === '' ? '' : ' ') + word;
  }
  return [...rows, row].join('\n');
}
