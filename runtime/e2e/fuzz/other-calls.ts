// Requests of the calls beside ModelInfer: with odd values in every field that a call has, and in fields that it has not.

import { COMES_AND_GOES } from './fuzz-repository.js';
import { RECIPES } from './good-request.js';
import { ODD_VERSIONS, oddName, oddParameter } from './odd-values.js';
import type { Random } from './random.js';
import {
  bytesField,
  entryField,
  messageField,
  textFields,
  varintField,
  type WireItem,
} from './wire-field.js';

export const INFERENCE = '/inference.GRPCInferenceService/';

export interface OtherCall {
  readonly kind: string;
  readonly path: string;
  /** Its calls may load and unload models. */
  readonly controls?: true;
  /** Its calls may name what cannot be opened. */
  readonly opens?: true;
  /** There is nothing behind the path. */
  readonly unimplemented?: true;
  /** How often compared with the others; 1 if missing. */
  readonly weight?: number;
  readonly items: (random: Random) => WireItem[];
}

const NO_METHODS = [
  `${INFERENCE}NoSuchMethod`,
  `${INFERENCE}modelinfer`,
  INFERENCE,
  `${INFERENCE}ModelInfer/`,
  '/inference.GRPCInferenceServicf/ModelInfer',
  '/grpc.health.v1.Health/List',
  '/no.such.Service/Method',
  '/',
  '//',
  '/%2e%2e/%00%zz',
  '/__proto__/constructor',
  `/${'x'.repeat(5000)}`,
];

export const OTHER_CALLS: readonly OtherCall[] = [
  ...['ServerLive', 'ServerReady', 'ServerMetadata'].map((name) => call(name, () => [])),
  ...['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics'].map((name) => ({
    ...call(name, modelAndVersion),
    weight: 3,
  })),
  call('RepositoryIndex', (random) => [
    ...textFields({ 1: random.chance(0.3) ? oddName(random) : '' }),
    varintField(2, random.uint64()),
  ]),
  { ...call('RepositoryModelLoad', loadOrUnload), controls: true, weight: 2 },
  { ...call('RepositoryModelUnload', loadOrUnload), controls: true, weight: 2 },
  { ...call('TraceSetting', traceSettings), weight: 2 },
  { ...call('LogSettings', logSettings), weight: 2 },
  {
    kind: 'call: Health/Check',
    path: '/grpc.health.v1.Health/Check',
    weight: 3,
    items: (random) => textFields({ 1: random.chance(0.7) ? oddName(random) : '' }),
  },
  ...['System', 'Cuda'].flatMap((kind) => [
    { ...call(`${kind}SharedMemoryStatus`, memoryRegion), weight: 0.3 },
    { ...call(`${kind}SharedMemoryUnregister`, memoryRegion), weight: 0.3 },
    { ...call(`${kind}SharedMemoryRegister`, memoryRegion), opens: true as const },
  ]),
  ...NO_METHODS.map((path): OtherCall => ({
    kind: 'call: no such method',
    path,
    unimplemented: true,
    weight: 0.3,
    items: modelAndVersion,
  })),
];

// ---- details below; callers need not read ----

function call(name: string, items: OtherCall['items']): OtherCall {
  return { kind: `call: ${name}`, path: INFERENCE + name, items };
}

function modelAndVersion(random: Random): WireItem[] {
  const name = random.chance(0.5) ? oddName(random) : random.pick(RECIPES).model;
  return textFields({ 1: name, 2: random.chance(0.7) ? random.pick(ODD_VERSIONS) : '' });
}

function loadOrUnload(random: Random): WireItem[] {
  const repository = random.chance(0.1) ? oddName(random) : '';
  const odd = oddName(random);
  // Further mutations must not make a name of it that others use.
  const model = random.chance(0.5) || odd.includes('add_sub') ? COMES_AND_GOES : odd;
  const keys = ['config', 'file:1/model.onnx', 'file:../../etc/passwd', 'unload_dependents'];
  const parameters = Array.from({ length: random.pick([0, 0, 0, 1, 2]) }, () =>
    entryField(3, random.pick([...keys, oddName(random)]), controlParameter(random)),
  );
  return [...textFields({ 1: repository, 2: model }), ...parameters];
}

/** ModelRepositoryParameter has bytes where InferParameter has a double. */
function controlParameter(random: Random): WireItem[] {
  const config = random.pick(['{}', '{"name":', '[]', 'null', '{"max_batch_size": 1e999}', '\0']);
  if (random.chance(0.3)) return [bytesField(3, config)];
  return random.chance(0.3) ? [bytesField(4, random.bytes(20))] : oddParameter(random);
}

/** Name, key, offset and size; of CUDA memory the second is a handle and the third a device. */
function memoryRegion(random: Random): WireItem[] {
  const keys = ['/', '/../../etc/passwd', '/triton_python_backend_shm_region_1', oddName(random)];
  return [
    ...textFields({ 1: oddName(random), 2: random.pick(keys) }),
    varintField(3, random.chance(0.5) ? 0n : random.uint64()),
    varintField(4, random.uint64()),
  ];
}

/** Mostly none, or all would be refused alike. */
function traceSettings(random: Random): WireItem[] {
  const value = Array.from({ length: random.below(3) }, () => bytesField(1, oddName(random)));
  const keys = ['trace_level', 'trace_rate', 'trace_count', '__proto__', oddName(random)];
  const settings = random.chance(0.4) ? [entryField(1, random.pick(keys), value)] : [];
  return [...settings, ...textFields({ 2: random.chance(0.5) ? oddName(random) : '' })];
}

function logSettings(random: Random): WireItem[] {
  const keys = ['log_verbose_level', 'log_file', 'log_format', 'constructor', oddName(random)];
  if (random.chance(0.3)) return [];
  if (random.chance(0.1)) return [messageField(1, [])];
  return [entryField(1, random.pick(keys), oddParameter(random))];
}
