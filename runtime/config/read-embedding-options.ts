// Options of an embedded server -> those of a server. Nothing is taken from the environment or the command line, which are the program's.

import type { EmbeddingOptions } from './embedding-options.js';
import type { Flag } from './flag.js';
import { checkedValues } from './flag-values.js';
import { FLAGS } from './flags.js';
import { InvalidOption } from './invalid-option.js';
import { serverOptionsFrom, type ServerOptions } from './server-options.js';

/** @throws InvalidOption that names the option and says what it takes */
export function readEmbeddingOptions(options: EmbeddingOptions): ServerOptions {
  const given: Readonly<Record<string, unknown>> = { ...options, log: undefined };
  const values = new Map<string, readonly string[]>();
  try {
    for (const name of Object.keys(given))
      if (name !== 'log' && !BY_OPTION.has(name))
        throw new InvalidOption(`there is no option '${name}'`);
    for (const flag of FLAGS) {
      const value = given[optionName(flag.name)];
      values.set(
        flag.name,
        checkedValues(flag, value === undefined ? undefined : texts(flag, value)),
      );
    }
    for (const name of FRONT_ENDS) allowOnlyIfAsked(name, given, values);
    return serverOptionsFrom(values, {}, { isEmbedded: true });
  } catch (error) {
    if (!(error instanceof InvalidOption)) throw error;
    throw new InvalidOption(inOptionNames(error.message), { cause: error });
  }
}

/** A text about flags as one about options: "--grpc-port" → "grpcPort", "--exit-on-error=false" → "exitOnError: false". */
export function inOptionNames(text: string): string {
  return text.replace(
    /--([a-z]+(?:-[a-z]+)*)(=(?=[\w*]))?/g,
    (flag, name: string, equals?: string) =>
      BY_OPTION.has(optionName(name)) ? `${optionName(name)}${equals ? ': ' : ''}` : flag,
  );
}

// ---- details below; callers need not read ----

/** Said in other ways here: by `log`, and by the flags that these are other names of. */
const NOT_HERE = ['log-format', 'log-file', 'model-store', 'strict-model-config'];

const BY_OPTION: ReadonlyMap<string, Flag> = new Map(
  FLAGS.filter(({ name, ineffective }) => !ineffective && !NOT_HERE.includes(name)).map((flag) => [
    optionName(flag.name),
    flag,
  ]),
);

const FRONT_ENDS = ['grpc', 'http', 'metrics'];

function optionName(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function texts({ name, kind, repeatable }: Flag, value: unknown): string[] {
  const type = kind === 'integer' ? 'number' : kind === 'text' ? 'string' : kind;
  const list: unknown[] = repeatable && Array.isArray(value) ? value : [value];
  for (const item of list)
    if (typeof item !== type) {
      const shown = typeof item === 'string' ? `'${item}'` : String(item);
      const many = repeatable ? ' or a list of them' : '';
      throw new InvalidOption(`--${name} takes a ${type}${many}, got ${shown}`);
    }
  return list.map(String);
}

function allowOnlyIfAsked(
  name: string,
  given: Readonly<Record<string, unknown>>,
  values: Map<string, readonly string[]>,
): void {
  const has = (flag: string): boolean => given[optionName(flag)] !== undefined;
  if (!has(`allow-${name}`) && !has(`${name}-port`)) values.set(`allow-${name}`, ['false']);
}
