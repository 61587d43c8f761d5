// The kinds of change that are made under load, each as what is done over and over.

import type { SwappedModel } from './swapped-model.js';

export interface Phase {
  readonly name: string;
  /** What one change consists of; each step is an operation with a call. */
  readonly steps: readonly ((model: SwappedModel) => Promise<number>)[];
  /** Changes in a whole run. */
  readonly changes: number;
}

export const PHASES: readonly Phase[] = [
  { name: 'reload of a changed file', changes: 50, steps: [(model) => model.reload()] },
  {
    name: 'a version added and removed',
    changes: 50,
    steps: [(model) => model.addVersion(), (model) => model.removeVersion()],
  },
  {
    name: 'a broken file and the restored one',
    changes: 20,
    steps: [(model) => model.breakFile(), (model) => model.restoreFile()],
  },
];
