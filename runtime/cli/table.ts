// Tables for people. No colours: they are as readable in a file.

import Table from 'cli-table3';
import { printable } from './printable.js';

export type Alignment = 'left' | 'right';

export interface Column {
  readonly title: string;
  readonly align?: Alignment;
  /** Left out when it has nothing to show. */
  readonly optional?: boolean;
}

/** A cell of several lines has line feeds. Ends in a line feed. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const shown = columns.flatMap((column, index) => {
    const isEmpty = rows.every((row) => row[index] === '');
    return column.optional && isEmpty ? [] : [{ ...column, index }];
  });
  const made = new Table({
    head: shown.map(({ title }) => title),
    colAligns: shown.map(({ align = 'left' }) => align),
    style: { head: [], border: [] },
  });
  made.push(...rows.map((row) => shown.map(({ index }) => printable(String(row[index] ?? '')))));
  return `${made.toString()}\n`;
}

const TEXT_WIDTH = 90;

/** Lines of at most `width` characters, unless a word is longer. */
export function wrapped(lines: readonly string[], width = TEXT_WIDTH): string {
  return lines.map((line) => wrap(line.trim(), width)).join('\n');
}

function wrap(text: string, width: number): string {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + word.length >= width) {
      rows.push(row);
      row = '';
    }
    row += (row === '' ? '' : ' ') + word;
  }
  return [...rows, row].join('\n');
}
