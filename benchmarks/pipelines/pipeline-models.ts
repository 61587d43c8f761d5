// A tiny model, and an ensemble of it and another one.

import type { TemporaryRepository } from '../../runtime/e2e/harness/temporary-repository.js';
import { mlpGraph } from '../works/mlp-graph.js';
import { configText } from '../works/work.js';

const WIDTH = 32;
const MAX_BATCH_SIZE = 64;

export const SINGLE = {
  name: 'first',
  input: 'x',
  inputShape: [WIDTH],
  maxBatchSize: MAX_BATCH_SIZE,
};
/** Asked in the same way. */
export const ENSEMBLE = { ...SINGLE, name: 'both' };

export function writeModels(repository: TemporaryRepository): void {
  for (const name of [SINGLE.name, 'second']) {
    const config = configText({ name, maxBatchSize: MAX_BATCH_SIZE });
    repository.model(name, mlpGraph([WIDTH, 64, WIDTH]), config);
  }
  const tensor = (name: string): string =>
    `{ name: "${name}" data_type: TYPE_FP32 dims: ${WIDTH} }`;
  const step = (model: string, from: string, to: string): string =>
    `{ model_name: "${model}" input_map { key: "x" value: "${from}" } output_map { key: "y" value: "${to}" } }`;
  repository.write(`${ENSEMBLE.name}/1/.keep`, '');
  repository.write(
    `${ENSEMBLE.name}/config.pbtxt`,
    `platform: "ensemble" max_batch_size: ${MAX_BATCH_SIZE} input [ ${tensor('x')} ] output [ ${tensor('y')} ]
     ensemble_scheduling { step [ ${step(SINGLE.name, 'x', 'between')}, ${step('second', 'between', 'y')} ] }`,
  );
}
