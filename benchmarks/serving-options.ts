// The command line of `npm run bench`.

import { parseArgs } from 'node:util';
import { UsageError } from './command/usage-error.js';
import { WORKS, pointFromName, type Point, type Work } from './works/work.js';

export interface ServingOptions {
  readonly works: readonly Work[];
  /** undefined: each work's own. */
  readonly points: readonly Point[] | undefined;
  readonly repetitions: number;
  readonly loader: 'h2load' | 'own' | undefined;
  readonly jsonFile: string | undefined;
  /** Figures of an earlier run, to be shown instead of measuring. */
  readonly from: string | undefined;
  readonly docs: boolean;
}

export const HELP = `npm run bench -- [FLAGS]

Serves models over loopback and prints requests per second, latency and CPU time, as ratios to a bare grpc-js echo and to a bare
loop over ONNX Runtime in the same run. docs/benchmarks.md says what is measured and how. Takes about six minutes; nothing else
should run on the machine meanwhile.

  --works NAMES    some of ${WORKS.map(({ name }) => name).join(',')} (all)
  --points NAMES   CONNECTIONSxSTREAMS, such as 1x1,4x16 (those of each work)
  --reps N         repetitions, of which the medians are printed (5)
  --quick          the same as --reps 1, to see that everything works
  --loader NAME    h2load or own (h2load where it is installed)
  --json FILE      write the figures there, too (always: benchmarks/results/latest.json)
  --docs           of a whole run: rewrite the table in docs/benchmarks.md, and the file it cites
  --from FILE      do not measure, take the figures of this file
  --help           this text

The JSON file has all figures. Exit code 1: a request was lost, or not counted as a success by the server.
`;

/** undefined: help is wanted. @throws UsageError */
export function servingOptions(args: readonly string[]): ServingOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  if (
    values.docs &&
    [values.works, values.points, values.quick].some((value) => value !== undefined)
  )
    throw new UsageError('--docs tells of whole runs: not with --works, --points or --quick');
  const { works, points, reps = '5', loader } = values;
  return {
    works: works === undefined ? WORKS : names(works).map(workFromName),
    points: points === undefined ? undefined : names(points).map(point),
    repetitions: values.quick ? 1 : repetitions(reps),
    loader: loader === undefined ? undefined : loaderFromName(loader),
    jsonFile: values.json,
    from: values.from,
    docs: values.docs === true,
  };
}

// ---- details below; callers need not read ----

const FLAGS = {
  works: { type: 'string' },
  points: { type: 'string' },
  reps: { type: 'string' },
  quick: { type: 'boolean' },
  loader: { type: 'string' },
  json: { type: 'string' },
  from: { type: 'string' },
  docs: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>['values'];

function parse(args: readonly string[]): Values {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function names(list: string): string[] {
  return list.split(',').map((name) => name.trim());
}

function workFromName(name: string): Work {
  const work = WORKS.find((candidate) => candidate.name === name);
  if (work) return work;
  throw new UsageError(`--works: there is no '${name}'`);
}

function point(name: string): Point {
  const found = pointFromName(name);
  if (found) return found;
  throw new UsageError(`--points: '${name}' is not of the form 4x16`);
}

function repetitions(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UsageError(`--reps: '${text}' is not a number from 1 to 999`);
}

function loaderFromName(name: string): 'h2load' | 'own' {
  if (name === 'h2load' || name === 'own') return name;
  throw new UsageError(`--loader: '${name}' is neither h2load nor own`);
}
