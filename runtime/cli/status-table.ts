// The table of models that a person sees when the server has started.

import Table from 'cli-table3';
import type { ModelIndexEntry } from '../core/model-control.js';

/** `problems` by model name: everything that is wrong with it, beyond the reason of its entries. */
export function statusTable(
  entries: readonly ModelIndexEntry[],
  problems: ReadonlyMap<string, readonly string[]>,
): string {
  const rows = [...entries.map((entry) => rowOf(entry, problems)), ...unlisted(entries, problems)];
  if (rows.length === 0) return 'No models in the repository.';
  const head = ['Model', 'Version', 'Status', 'Reason'];
  const columns = rows.some(([, , , reason]) => reason !== '') ? 4 : 3;
  const table = new Table({ head: head.slice(0, columns), style: { head: [], border: [] } });
  table.push(...rows.sort(byName).map((row) => row.slice(0, columns)));
  return table.toString();
}

type Row = [name: string, version: string, status: string, reason: string];

function rowOf(
  { name, version, state, reason }: ModelIndexEntry,
  problems: ReadonlyMap<string, readonly string[]>,
): Row {
  const known = problems.get(name) ?? [];
  if (state === 'READY') return [name, String(version), state, ''];
  const lines = known.length > 0 ? known : [reason];
  const status = state === '' && known.length > 0 ? 'UNAVAILABLE' : state || 'not loaded';
  return [name, version === undefined ? '' : String(version), status, wrapped(lines)];
}

/** Models of which the index knows nothing but that they failed. */
function unlisted(
  entries: readonly ModelIndexEntry[],
  problems: ReadonlyMap<string, readonly string[]>,
): Row[] {
  return [...problems]
    .filter(([name]) => !entries.some((entry) => entry.name === name))
    .map(([name, lines]) => [name, '', 'UNAVAILABLE', wrapped(lines)]);
}

function byName([a]: Row, [b]: Row): number {
  return a < b ? -1 : a > b ? 1 : 0;
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
