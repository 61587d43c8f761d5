// What `import … from 'inferd'` gives: to programs that have a server of their own (docs/embedding.md), and to models written in
// TypeScript (docs/typescript-models.md), which get their part alone. What is not here may change at any time.

export type { EmbeddingOptions as ServerOptions } from './config/embedding-options.js';
export { RuntimeError, type ErrorCode } from './core/errors.js';
export {
  createServer,
  type EmbeddedServer as Server,
  type VersionOptions,
} from './embedded-server.js';
export type { InferOptions } from './frontend/infer-options.js';
export {
  ModelError,
  defineModel,
  tensor,
  textsOf,
  type Counter,
  type DataType,
  type ExecuteContext,
  type Gauge,
  type Histogram,
  type InferRequest,
  type InferResponse,
  type Log,
  type Metrics,
  type ModelContext,
  type ModelDefinition,
  type ModelErrorCode,
  type ModelRequest,
  type ModelResponse,
  type Tensor,
  type TensorArrays,
} from './worker/model-api.js';
