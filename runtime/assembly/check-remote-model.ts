// What can be said of a remote model without asking its endpoints.

import { InvalidModelConfig } from '../config/config-problem.js';
import { readRemoteConfig, type RemoteConfig } from '../config/remote-config.js';
import { validateTensors } from '../config/validate-tensors.js';
import type { ModelDescription } from '../repository/model-description.js';

/** @throws InvalidModelConfig with everything that is wrong with it */
export function checkRemoteModel({ message }: Pick<ModelDescription, 'message'>): RemoteConfig {
  const { config, problems } = readRemoteConfig(message);
  InvalidModelConfig.check([...problems, ...validateTensors(message)]);
  return config;
}
