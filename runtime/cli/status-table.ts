// The table of models that a person sees when the server has started.

import type { ModelIndexEntry } from '../core/model-control.js';
import { table, wrapped } from './table.js';

/** `problems` by model name: everything that is wrong with it, beyond the reason of its entries. */
export function statusTable(
  entries: readonly ModelIndexEntry[],
  problems: ReadonlyMap<string, readonly string[]>,
): string {
  const rows = [...entries.map((entry) => rowOf(entry, problems)), ...unlisted(entries, problems)];
  if (rows.length === 0) return 'No models in the repository.';
  return table(COLUMNS, rows.sort(byName)).trimEnd();
}

const COLUMNS = [
  { title: 'Model' },
  { title: 'Version' },
  { title: 'Status' },
  { title: 'Reason', optional: true },
];

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
