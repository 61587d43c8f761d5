// The calls of GRPCInferenceService that ask about the server and its models.

import type { ModelCatalog, ServedModel, TensorMetadata } from '../core/model-catalog.js';
import { RuntimeError } from '../core/errors.js';
import type { DurationStat, ModelStatistics } from '../core/model-statistics.js';
import { LATEST, parseModelVersion } from '../core/model-version.js';
import type { Message } from './message-codec.js';
import type { ServerHealth } from './server-health.js';
import { unaryMethod, type UnaryMethod } from './unary-method.js';

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  /** Names of protocol extensions. */
  readonly extensions: readonly string[];
}

export function serverMethods(
  info: ServerInfo,
  health: ServerHealth,
  catalog: ModelCatalog,
): UnaryMethod[] {
  return [
    inferenceMethod('ServerLive', () => ({ live: true })),
    inferenceMethod('ServerReady', () => ({ ready: health.isReady() })),
    inferenceMethod('ServerMetadata', () => ({ ...info })),
    inferenceMethod('ModelReady', ({ name, version }) => ({
      ready: catalog.isReady(String(name), String(version)),
    })),
    inferenceMethod('ModelMetadata', (request) =>
      withModel(catalog, request, modelMetadata(catalog, request)),
    ),
    inferenceMethod('ModelConfig', (request) =>
      withModel(catalog, request, modelConfig(request['explain'] === true)),
    ),
    inferenceMethod('ModelStatistics', (request) => modelStatistics(catalog, request)),
  ];
}

/** A unary call of GRPCInferenceService, whose messages are named after it. */
export function inferenceMethod(
  name: string,
  answer: (request: Message) => Message | Promise<Message>,
): UnaryMethod {
  const types = { request: `inference.${name}Request`, response: `inference.${name}Response` };
  return unaryMethod(`/inference.GRPCInferenceService/${name}`, types, answer);
}

// ---- details below; callers need not read ----

function withModel<T>(
  catalog: ModelCatalog,
  { name, version }: Message,
  use: (model: ServedModel) => T,
): T {
  const handle = catalog.acquire(String(name), String(version));
  try {
    return use(handle.model);
  } finally {
    handle.release();
  }
}

function modelMetadata(
  catalog: ModelCatalog,
  { version }: Message,
): (model: ServedModel) => Message {
  return (model) => {
    const all = catalog.readyVersions(model.name).map((ready) => String(ready.version));
    return {
      name: model.name,
      versions: version === '' ? all : [String(model.version)],
      platform: model.platform,
      inputs: model.inputs.map(tensorMetadata),
      outputs: model.outputs.map(tensorMetadata),
      ...(model.properties && { properties: model.properties }),
    };
  };
}

function modelConfig(explains: boolean): (model: ServedModel) => Message {
  return (model) => ({
    config: model.configMessage,
    ...(explains && { origins: Object.fromEntries(model.configOrigins?.() ?? []) }),
  });
}

function tensorMetadata({ name, dataType, shape }: TensorMetadata): Message {
  return { name, datatype: dataType, shape };
}

function modelStatistics(catalog: ModelCatalog, request: Message): Message {
  const name = String(request['name']);
  const version = parseModelVersion(String(request['version']));
  const models = catalog.readyVersions(name);
  if (name !== '' && models.length === 0)
    throw new RuntimeError('INVALID_ARGUMENT', `requested model '${name}' is not available`);
  const wanted = models.filter((model) => version === LATEST || model.version === version);
  if (name !== '' && wanted.length === 0) {
    const text = `requested model version is not available for model '${name}'`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  return { model_stats: wanted.map(statisticsMessage) };
}

function statisticsMessage({ name, version, statistics }: ServedModel): Message {
  const batches = [...statistics.batches].sort(([a], [b]) => a - b);
  return {
    name,
    version: String(version),
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: inferenceStats(statistics),
    batch_stats: batches.map(([rows, batch]) => ({
      batch_size: rows,
      compute_input: duration(batch.input),
      compute_infer: duration(batch.infer),
      compute_output: duration(batch.output),
    })),
  };
}

function inferenceStats(statistics: ModelStatistics): Message {
  return {
    success: duration(statistics.success),
    fail: duration(statistics.fail),
    queue: duration(statistics.queue),
    compute_input: duration(statistics.input),
    compute_infer: duration(statistics.infer),
    compute_output: duration(statistics.output),
    cache_hit: duration(statistics.cache?.hits ?? NONE),
    cache_miss: duration(statistics.cache?.misses ?? NONE),
  };
}

const NONE = { count: 0, ms: 0 };

function duration({ count, ms }: Pick<DurationStat, 'count' | 'ms'>): Message {
  return { count, ns: Math.round(ms * 1e6) };
}
