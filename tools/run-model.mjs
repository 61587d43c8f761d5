// Runs an ONNX model in the onnxruntime-node that inferd uses, on one thread:
//
//   node tools/run-model.mjs MODEL.onnx [--milliseconds] < FEEDS.json > RESULTS.json
//
// FEEDS.json is a list with one object per run, {"input name": {"type", "dims", "data"}}; RESULTS.json is the same for the
// outputs. Types are "string" and "float32". With --milliseconds all is run twice, and RESULTS.json is how long each run
// took the second time. The training scripts use it to score and time what they export.
import { text } from 'node:stream/consumers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [modelPath, flag] = process.argv.slice(2);
if (!modelPath || (flag && flag !== '--milliseconds')) {
  console.error(
    'usage: node tools/run-model.mjs MODEL.onnx [--milliseconds] < FEEDS.json > RESULTS.json',
  );
  process.exit(1);
}

const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1 });
const feeds = JSON.parse(await text(process.stdin)).map((feed) => mapValues(feed, toTensor));
const answers = await runAll();
const results = flag ? (await runAll()).map(({ took }) => took) : answers.map(toJson);
process.stdout.write(JSON.stringify(results));

async function runAll() {
  const finished = [];
  for (const feed of feeds) {
    const start = performance.now();
    const outputs = await session.run(feed);
    finished.push({ outputs, took: performance.now() - start });
  }
  return finished;
}

function toTensor({ type, dims, data }) {
  return new Tensor(type, type === 'float32' ? Float32Array.from(data) : data, dims);
}

function toJson({ outputs }) {
  return mapValues(outputs, ({ type, dims, data }) => ({ type, dims, data: Array.from(data) }));
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
