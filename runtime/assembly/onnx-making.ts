// What making the instances of an ONNX model takes, and what comes of it.

import type { ModelTensors } from '../config/complete-from-model.js';
import type { InstanceGroupSpec } from '../config/instance-group-config.js';
import type { SessionSettings } from '../config/session-settings.js';
import type { ModelStatistics } from '../core/model-statistics.js';
import type { Instances } from '../instance/instances.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { CompletedConfig } from './complete-onnx-config.js';

export interface OnnxMaking {
  readonly description: ModelDescription;
  readonly version: number;
  readonly modelPath: string;
  readonly settings: SessionSettings;
  readonly groups: readonly InstanceGroupSpec[];
  readonly statistics: ModelStatistics;
  readonly complete: (model: ModelTensors) => Promise<CompletedConfig>;
  /** Rejects when the files of the version are not any more those that it was made known from. */
  readonly verify: () => Promise<void>;
}

export interface MadeInstances {
  readonly instances: Instances;
  readonly config: CompletedConfig;
  /** What the model says of itself. */
  readonly loaded: ModelTensors;
}
