// The public interface of the package; what is not here may change at any time.

export { classesOf, type ClassScore } from './classification.js';
export { InferdClient, type InferOptions } from './client.js';
export type {
  ClientOptions,
  HedgeOptions,
  KeepaliveOptions,
  Metadata,
  RetryOptions,
  TlsOptions,
} from './client-options.js';
export type { CallOptions } from './caller.js';
export type { DataOf, DataType, TypedArray } from './data-type.js';
export { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-float.js';
export { InferdError, type GrpcCode } from './inferd-error.js';
export type { InferResult, Inputs, Outputs } from './infer-message.js';
export type { InferStream, StreamAnswer } from './infer-stream.js';
export type { Parameter, Parameters } from './parameter.js';
export type { LoadOptions, ModelCallOptions, UnloadOptions } from './server-calls.js';
export type {
  ConfigOrigin,
  DurationStatistics,
  ExplainedModelConfig,
  HealthStatus,
  IndexedModel,
  ModelConfig,
  ModelMetadata,
  ModelStatistics,
  ServerMetadata,
  TensorMetadata,
} from './server-info.js';
export type { Input, Tensor } from './tensor-input.js';
export { elementsOf, type OutputTensor } from './tensor-output.js';
export { typedModel, type InferSource, type TypedInput, type TypedModel } from './typed-model.js';
export type {
  CircuitBreaker,
  LegFigures,
  ModelPipeline,
  PipelineCounter,
  PipelineNode,
} from './pipeline-info.js';
