// Configuration -> Servable, by the kind of the model.

import { CASCADE_PLATFORM } from '../config/cascade-config.js';
import { ONNX_BACKEND } from '../config/complete-model-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { unservedSetting } from '../config/unserved-settings.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadVersion } from '../repository/servable-handle.js';
import { assembleCascade } from './assemble-cascade.js';
import { assembleEnsemble } from './assemble-ensemble.js';
import { assembleOnnxModel } from './assemble-onnx-model.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { checkOnnxModel } from './check-onnx-model.js';

export function modelAssembler(parts: AssemblyParts, options: AssemblyOptions): LoadVersion {
  return (description, version) => {
    checkKind(description.message);
    return assemblerOf(description.message)(parts, options, { description, version });
  };
}

/** Whether a server could serve it, as far as that goes without opening the model. @throws RuntimeError */
export async function checkModel(
  description: ModelDescription,
  options: Pick<AssemblyOptions, 'autoComplete'>,
): Promise<void> {
  checkKind(description.message);
  if (assemblerOf(description.message) !== assembleOnnxModel) return;
  await checkOnnxModel(description, options);
}

// ---- details below; callers need not read ----

function assemblerOf(message: ModelConfigMessage): typeof assembleOnnxModel {
  if (message.ensemble_scheduling) return assembleEnsemble;
  return message.cascade_scheduling ? assembleCascade : assembleOnnxModel;
}

function checkKind(message: ModelConfigMessage): void {
  const { backend = '', platform = '' } = message;
  if (backend !== '' && backend !== ONNX_BACKEND) {
    const text = `unable to find backend library for backend '${backend}', try specifying runtime on the model configuration.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const isServed = backend !== '' || platform === 'ensemble' || platform === CASCADE_PLATFORM;
  const unserved = isServed ? unservedSetting(message) : `platform '${platform}'`;
  if (unserved === undefined) return;
  throw new RuntimeError('UNSUPPORTED', `${unserved} is not supported by this version of inferd`);
}
