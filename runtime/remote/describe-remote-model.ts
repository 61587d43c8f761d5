// What endpoints say of a model whose configuration here does not: its tensors (ModelMetadata), and, where there is a ModelConfig call,
// how it is batched. The first endpoint that answers is believed; all are asked until one does or the time is over.

import { decodeModelConfig } from '../config/decode-model-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import type { Clock } from '../core/clock.js';
import { dataTypeFromName } from '../core/data-type.js';
import { RuntimeError } from '../core/errors.js';
import type { TensorMetadata } from '../core/model-catalog.js';
import { WireReader } from '../wire/wire-reader.js';
import { readTensor } from '../wire/wire-tensor.js';
import { CallFailed, askEndpoint, modelRequest } from './ask-endpoint.js';
import type { Endpoint } from './endpoint.js';
import type { RemoteName } from './infer-messages.js';
import { STATUS } from './status-error.js';

export interface RemoteDescription {
  /** With the batch dimension, where there is one. */
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Undefined: the endpoint has no such call. */
  readonly config: ModelConfigMessage | undefined;
}

export interface DescriptionSource {
  readonly endpoints: () => readonly Endpoint[];
  readonly remote: RemoteName;
  readonly clock: Clock;
}

/** How long it is waited for. */
const PATIENCE_MS = 10_000;
/** How long one call may take: an endpoint that hangs must not keep others, which come up meanwhile, from being asked again. */
const ATTEMPT_MS = 3_000;
const PAUSE_MS = 250;

/** @throws RuntimeError MODEL_NOT_READY that says what each endpoint said */
export async function describeRemoteModel(
  source: DescriptionSource,
  modelName: string,
): Promise<RemoteDescription> {
  const { clock, remote, endpoints } = source;
  const until = clock.now() + PATIENCE_MS;
  for (;;) {
    const timeoutMs = Math.max(Math.min(until - clock.now(), ATTEMPT_MS), 1);
    const asked = endpoints();
    const answers = asked.map((endpoint) => ask(endpoint, remote, timeoutMs));
    try {
      return await Promise.any(answers);
    } catch (error) {
      const left = until - clock.now();
      if (left <= PAUSE_MS) throw notDescribed(modelName, asked, error as AggregateError);
      await pause(clock);
    }
  }
}

// ---- details below; callers need not read ----

async function ask(
  { connection }: Endpoint,
  remote: RemoteName,
  timeoutMs: number,
): Promise<RemoteDescription> {
  const message = modelRequest(remote);
  const metadata = await askEndpoint(connection, { method: 'ModelMetadata', message, timeoutMs });
  return { ...readMetadata(metadata), config: await askConfig(connection, message, timeoutMs) };
}

async function askConfig(
  connection: Endpoint['connection'],
  message: Buffer,
  timeoutMs: number,
): Promise<ModelConfigMessage | undefined> {
  try {
    return readConfig(await askEndpoint(connection, { method: 'ModelConfig', message, timeoutMs }));
  } catch (error) {
    if (error instanceof CallFailed && error.status.code === STATUS.UNIMPLEMENTED) return undefined;
    throw error;
  }
}

/** ModelMetadataResponse: inputs 4, outputs 5, each with name, datatype and shape as in a request. */
function readMetadata(bytes: Buffer): Pick<RemoteDescription, 'inputs' | 'outputs'> {
  const inputs: TensorMetadata[] = [];
  const outputs: TensorMetadata[] = [];
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x22) inputs.push(readTensorMetadata(reader.message()));
    else if (tag === 0x2a) outputs.push(readTensorMetadata(reader.message()));
    else reader.skip(tag & 7);
  }
  return { inputs, outputs };
}

function readTensorMetadata(reader: WireReader): TensorMetadata {
  const { name, dataType, shape } = readTensor(reader);
  return { name, dataType: dataTypeFromName(dataType), shape };
}

/** ModelConfigResponse: config 1. */
function readConfig(bytes: Buffer): ModelConfigMessage {
  const reader = new WireReader(bytes);
  let config: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) config = reader.bytes();
    else reader.skip(tag & 7);
  }
  return decodeModelConfig(config);
}

function notDescribed(
  modelName: string,
  asked: readonly Endpoint[],
  { errors }: AggregateError,
): RuntimeError {
  const reasons = asked.map(({ address }, i) => `${address}: ${reasonOf(errors[i])}`);
  const text =
    `model '${modelName}' declares no inputs and outputs, and no endpoint has told them within ${PATIENCE_MS / 1000} s: ` +
    (reasons.join('; ') || 'there is none');
  return new RuntimeError('MODEL_NOT_READY', text, { cause: errors });
}

function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return message.replace(/ Resolution note: *$/, '');
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, PAUSE_MS));
}
