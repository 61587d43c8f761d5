// --backend-config=BACKEND,KEY=VALUE: settings for all models of a backend; there is one backend.

import { InvalidOption } from './invalid-option.js';

export interface BackendConfig {
  /** Rows of a batch for models that can be batched and whose configuration names no size. */
  readonly defaultMaxBatchSize: number;
  /** Sentences on settings that do nothing. */
  readonly warnings: readonly string[];
}

/** @throws InvalidOption */
export function readBackendConfig(settings: readonly string[]): BackendConfig {
  let defaultMaxBatchSize = 4;
  const warnings: string[] = [];
  for (const setting of settings) {
    const [backend = '', assignment = ''] = setting.split(',', 2);
    const [key = '', value = ''] = assignment.split('=', 2);
    if ((backend === 'onnxruntime' || backend === '') && key === 'default-max-batch-size') {
      if (!/^\d{1,9}$/.test(value))
        throw new InvalidOption(
          `--backend-config: default-max-batch-size takes a whole number, got '${value}'`,
        );
      defaultMaxBatchSize = Number(value);
    } else {
      warnings.push(
        `--backend-config=${setting} has no effect: only onnxruntime,default-max-batch-size=N is known`,
      );
    }
  }
  return { defaultMaxBatchSize, warnings };
}
