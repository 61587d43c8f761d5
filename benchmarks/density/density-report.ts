// What very many models take of a machine, and what they give back.

import type { Outcome } from '../command/outcome.js';
import { atLeast, atMost, type Claim } from '../report/claim.js';
import { mebibytes, percent } from '../report/figure-text.js';
import type { TextTable } from '../report/text-table.js';
import type { ChurnFigures } from './measure-churn.js';
import type { StartFigures } from './measure-start.js';
import { givenBack, growth } from './memory-shares.js';

export interface DensityFigures {
  readonly models: number;
  readonly staying: number;
  readonly mallocConf: string;
  readonly starts: readonly StartFigures[];
  readonly churns: readonly ChurnFigures[];
}

/** Of a start with a thousand models on glibc, as who starts the server by hand has it. */
const MOST_SECONDS = 4;
const MOST_MEBIBYTES = 600;
const MOST_GROWTH = 0.05;
const LEAST_GIVEN_BACK = 0.6;

export function densityOutcome(figures: DensityFigures, notes: readonly string[]): Outcome {
  return {
    tables: [startTable(figures), churnTable(figures)],
    notes,
    claims: [...startClaims(figures), ...figures.churns.flatMap(churnClaims)],
    figures,
  };
}

// ---- details below; callers need not read ----

function startClaims({ starts, models }: DensityFigures): Claim[] {
  return starts.flatMap(({ allocator, readyMs, residentBytes, wrongAnswers }) => {
    const wrong = atMost(`${allocator}: models that answer wrongly`, wrongAnswers, 0);
    if (allocator !== 'glibc') return [wrong];
    const ready = `${models} models: seconds until all are ready`;
    return [
      atMost(ready, readyMs / 1000, MOST_SECONDS),
      atMost(`${models} models: MiB resident`, residentBytes / 2 ** 20, MOST_MEBIBYTES),
      wrong,
    ];
  });
}

function churnClaims(churn: ChurnFigures): Claim[] {
  const { allocator, wrongAnswers } = churn;
  const grown = `${allocator}: growth of what is resident with all loaded, last rounds to the second`;
  return [
    atMost(grown, growth(churn, 'loadedBytes'), MOST_GROWTH),
    atMost(`${allocator}: models that answer wrongly after the rounds`, wrongAnswers, 0),
    ...(allocator === 'jemalloc'
      ? [
          atLeast(
            `${allocator}: share of memory given back by unloading`,
            givenBack(churn),
            LEAST_GIVEN_BACK,
          ),
        ]
      : []),
  ];
}

function startTable({ starts, models }: DensityFigures): TextTable {
  return {
    head: [`${models} models at the start`, 'ready s', 'RSS MiB', 'RSS used MiB', 'threads'],
    rows: starts.map((it) => [
      it.allocator,
      (it.readyMs / 1000).toFixed(2),
      mebibytes(it.residentBytes),
      mebibytes(it.residentBytesUsed),
      String(it.threads),
    ]),
  };
}

function churnTable({ churns, models, staying }: DensityFigures): TextTable {
  return {
    head: [
      `RSS, MiB, with ${models - staying} loaded and unloaded`,
      `${staying} only`,
      ...['loaded', 'unloaded', 'given back', 'load s', 'unload s'].map((name) => `${name} (1st)`),
      'loaded (last)',
      'unloaded (last)',
      'growth',
    ],
    rows: churns.map((churn) => {
      const [first, last] = [churn.rounds[0]!, churn.rounds.at(-1)!];
      return [
        churn.allocator,
        mebibytes(churn.stayingBytes),
        mebibytes(first.loadedBytes),
        mebibytes(first.unloadedBytes),
        percent(givenBack(churn)),
        (first.loadMs / 1000).toFixed(1),
        (first.unloadMs / 1000).toFixed(1),
        mebibytes(last.loadedBytes),
        mebibytes(last.unloadedBytes),
        percent(growth(churn, 'loadedBytes')),
      ];
    }),
  };
}
