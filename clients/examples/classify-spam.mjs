// Asks a running server whether text messages are spam: one ModelInfer request, a row per message. Copy it for a client of
// your own; it needs @grpc/grpc-js, @grpc/proto-loader and proto/grpc_service.proto, nothing else of this project.
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const USAGE = `Asks a model whether messages are spam.

  npm run example:spam -- [--url HOST:PORT] [--model NAME] [--version N] MESSAGE...

  npm run example:spam -- "free entry, text WIN to 80082" "see you at eight?"
  npm run example:spam -- --model spam_heavy "see you at eight?"

--url HOST:PORT   where the server listens for gRPC [localhost:8001]; \`npm start\` starts one
--model NAME      spam_light, spam_heavy or spam, which asks both [spam_light]
--version N       of the model [the latest]`;

const PROTO = fileURLToPath(new URL('../../proto/grpc_service.proto', import.meta.url));
const CONNECT_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 10_000;

try {
  const { messages, ...target } = readArguments();
  if (messages.length === 0) console.log(USAGE);
  else (await classify(target, messages)).forEach((p, i) => print(p, messages[i]));
} catch (error) {
  // Errors of gRPC have a status code and, as details, the server's text.
  console.error(error.details ? `${status[error.code]}: ${error.details}` : error.message);
  process.exitCode = 1;
}

function readArguments() {
  const options = {
    url: { type: 'string', default: 'localhost:8001' },
    model: { type: 'string', default: 'spam_light' },
    version: { type: 'string', default: '' },
    help: { type: 'boolean' },
  };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const { help, ...target } = values;
  return { ...target, messages: help ? [] : positionals };
}

/** The probability of being spam, for each message. */
async function classify({ url, model, version }, messages) {
  const { inference } = loadPackageDefinition(loadSync(PROTO, { keepCase: true }));
  const client = new inference.GRPCInferenceService(url, credentials.createInsecure());
  try {
    await connect(client, url);
    const infer = promisify(client.ModelInfer.bind(client));
    const deadline = Date.now() + ANSWER_TIMEOUT_MS;
    return probabilities(await infer(requestFor(model, version, messages), { deadline }));
  } finally {
    client.close();
  }
}

function connect(client, url) {
  const ready = promisify(client.waitForReady.bind(client))(Date.now() + CONNECT_TIMEOUT_MS);
  return ready.catch(() => {
    throw new Error(
      `no server answers at ${url}; start one with \`npm start\` in another terminal`,
    );
  });
}

function requestFor(model, version, messages) {
  const texts = messages.map((message) => Buffer.from(message));
  const contents = { bytes_contents: texts };
  const input = { name: 'text', datatype: 'BYTES', shape: [texts.length, 1], contents };
  // No version, that is an empty text, is the latest.
  return { model_name: model, model_version: version, inputs: [input] };
}

/** Outputs are raw little-endian bytes, in the order of response.outputs; these models have one, of type FP32. */
function probabilities({ raw_output_contents: [raw] }) {
  return Array.from({ length: raw.length / 4 }, (_, i) => raw.readFloatLE(i * 4));
}

function print(probability, message) {
  const verdict = probability > 0.5 ? 'spam' : 'ham ';
  const line = message.replace(/\s+/g, ' ');
  const shown = line.length > 70 ? `${line.slice(0, 69)}…` : line;
  console.log(`${verdict} ${(probability * 100).toFixed(1).padStart(5)} %  ${shown}`);
}
