// Very many small models in one repository, no two alike, and what each must answer.

import type { TemporaryRepository } from '../../runtime/e2e/harness/temporary-repository.js';
import { onnxModel } from '../../runtime/testing/onnx-model.js';
import { REQUEST_VALUE, inferMessage } from '../works/infer-message.js';
import { mlpAnswer, mlpGraph } from '../works/mlp-graph.js';

/** 17 kB of weights. */
const SIZES = [32, 64, 32];

export interface FleetModel {
  readonly name: string;
  /** A request for it. */
  readonly message: Buffer;
  readonly answer: readonly number[];
}

/** Writes the models, without configurations: batching and all else comes from the model. */
export function writeFleet(repository: TemporaryRepository, count: number): FleetModel[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `m${String(index).padStart(4, '0')}`;
    const graph = mlpGraph(SIZES, index + 1);
    repository.write(`${name}/1/model.onnx`, onnxModel(graph));
    const message = inferMessage({
      name,
      input: 'x',
      inputShape: [SIZES[0]!],
      maxBatchSize: 1,
    });
    return { name, message, answer: mlpAnswer(graph, REQUEST_VALUE) };
  });
}
