// ONNX Runtime and nothing else: a process that runs a model over and over on inputs that are there already, with the threads
// that the server gives an instance. It shows what is left of the model's own speed when it is served.
//
// Run by OrtProcess as: ort-loop.js MODEL_FILE INPUT OUTPUT. Each message asks for batches and is answered with the time.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OrtBatches, OrtTime } from './ort-process.js';

const VALUE = 0.3;

const [modelFile, input, output] = process.argv.slice(2) as [string, string, string];
const session = await InferenceSession.create(modelFile, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});

process.on('message', (batches: OrtBatches) => void answer(batches));
process.send!('ready');

async function answer({ shapes }: OrtBatches): Promise<void> {
  const feeds = shapes.map(({ shape, times }) => ({ feed: { [input]: filled(shape) }, times }));
  const startedAt = performance.now();
  for (const { feed, times } of feeds)
    for (let left = times; left > 0; left--) await session.run(feed, [output]);
  process.send!({ ms: performance.now() - startedAt } satisfies OrtTime);
}

function filled(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Tensor('float32', new Float32Array(count).fill(VALUE), shape);
}
