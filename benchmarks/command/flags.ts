// The command line of the benchmarks that hold claims against the server: flags of their own, and those that all of them have.

import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.js';

export interface BenchFlag {
  readonly name: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly text: string;
  /** Without one, the flag may be left out. */
  readonly default?: string;
}

/** Of flags that were given or have a default. */
export class FlagValues {
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(values: Readonly<Record<string, string | boolean | undefined>>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws UsageError when it is no whole number from 1 to `most` */
  count(name: string, most: number): number {
    const text = this.text(name) ?? '';
    const count = Number(text);
    if (/^[1-9]\d*$/.test(text) && count <= most) return count;
    throw new UsageError(`--${name}: '${text}' is not a number from 1 to ${most}`);
  }
}

/** @throws UsageError */
export function parseFlags(args: readonly string[], own: readonly BenchFlag[]): FlagValues {
  const options = {
    ...Object.fromEntries(
      own.map(({ name, default: value }) => [
        name,
        { type: 'string' as const, ...(value !== undefined && { default: value }) },
      ]),
    ),
    json: { type: 'string' as const },
    docs: { type: 'boolean' as const },
    help: { type: 'boolean' as const },
  };
  try {
    return new FlagValues(parseArgs({ args: [...args], options }).values);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Where --docs writes unless a benchmark has a document of its own. */
export const DOCUMENT = 'docs/model-control.md';

export interface BenchHelp {
  readonly command: string;
  readonly about: string;
  readonly flags: readonly BenchFlag[];
  readonly document?: string;
}

export function helpText({ command, about, flags: own, document = DOCUMENT }: BenchHelp): string {
  const common: BenchFlag[] = [
    { name: 'json', value: 'FILE', text: 'write the figures there' },
    { name: 'docs', value: '', text: `rewrite the figures in ${document}` },
    { name: 'help', value: '', text: 'this text' },
  ];
  const lines = [...own, ...common].map(({ name, value, text, default: otherwise }) => {
    const flag = `--${name} ${value}`.padEnd(FLAG_WIDTH);
    return `  ${flag} ${text}${otherwise === undefined ? '' : ` (${otherwise})`}`;
  });
  return `npm run ${command} -- [FLAGS]\n\n${about}\n\n${lines.join('\n')}\n`;
}

const FLAG_WIDTH = 18;
