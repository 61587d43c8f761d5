// Runs an ONNX model in the onnxruntime-node that inferd uses:
//
//   node tools/run-model.mjs MODEL.onnx < FEEDS.json > RESULTS.json
//
// FEEDS.json is a list with one object per run, {"input name": {"type", "dims", "data"}}; RESULTS.json is the same for the
// outputs. Types are "string" and "float32". The training scripts use it to score what they export.
import { text } from 'node:stream/consumers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [modelPath] = process.argv.slice(2);
if (!modelPath) {
  console.error('usage: node tools/run-model.mjs MODEL.onnx < FEEDS.json > RESULTS.json');
  process.exit(1);
}

const session = await InferenceSession.create(modelPath);
const results = [];
for (const feed of JSON.parse(await text(process.stdin))) {
  results.push(toJson(await session.run(mapValues(feed, toTensor))));
}
process.stdout.write(JSON.stringify(results));

function toTensor({ type, dims, data }) {
  return new Tensor(type, type === 'float32' ? Float32Array.from(data) : data, dims);
}

function toJson(outputs) {
  return mapValues(outputs, ({ type, dims, data }) => ({ type, dims, data: Array.from(data) }));
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
