// Models that golden/models has not: what they are for stands beside each.

import { join } from 'node:path';
import { ONNX_TYPE, type OnnxGraph, type OnnxSize } from '../../testing/onnx-model.js';
import { GOLDEN_MODELS, TemporaryRepository } from '../harness/temporary-repository.js';

export const GOLDEN_REPOSITORY = join(GOLDEN_MODELS, 'repo_basic');

/** The model that broken calls may load and unload; nobody else uses it. */
export const COMES_AND_GOES = 'comes_and_goes';

export function createFuzzRepository(): TemporaryRepository {
  const repository = new TemporaryRepository();
  // So many free sizes that their product leaves even the range of doubles.
  const sizes = Array.from({ length: 18 }, (_, i) => `size_${i}`);
  repository.model('rank_18', identityGraph(sizes), 'max_batch_size: 0');
  // Values can fail in ONNX Runtime, in a batch with the values of others.
  repository.model('text_to_number', textToNumberGraph(), 'max_batch_size: 8');
  const config = `name: "${COMES_AND_GOES}" max_batch_size: 4`;
  repository.copy(join(GOLDEN_REPOSITORY, 'vers_default'), COMES_AND_GOES, config);
  return repository;
}

// ---- details below; callers need not read ----

function identityGraph(shape: readonly OnnxSize[]): OnnxGraph {
  return {
    inputs: [{ name: 'INPUT0', type: ONNX_TYPE.UINT8, shape }],
    outputs: [{ name: 'OUTPUT0', type: ONNX_TYPE.UINT8, shape }],
    nodes: [{ op: 'Identity', inputs: ['INPUT0'], outputs: ['OUTPUT0'] }],
  };
}

function textToNumberGraph(): OnnxGraph {
  const shape = ['batch', 1];
  return {
    inputs: [{ name: 'TEXT', type: ONNX_TYPE.STRING, shape }],
    outputs: [{ name: 'NUMBER', type: ONNX_TYPE.FLOAT, shape }],
    nodes: [{ op: 'Cast', inputs: ['TEXT'], outputs: ['NUMBER'], ints: { to: ONNX_TYPE.FLOAT } }],
  };
}
