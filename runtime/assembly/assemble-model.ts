// Configuration -> Servable, by the kind of the model.

import { ONNX_BACKEND, SCRIPT_BACKEND } from '../config/complete-model-config.js';
import type { ModelConfigMessage } from '../config/model-config-message.js';
import { isRemote } from '../config/remote-config.js';
import { unservedSetting } from '../config/unserved-settings.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadVersion, LoadedVersion } from '../repository/servable-handle.js';
import { assembleCascade } from './assemble-cascade.js';
import { assembleEnsemble } from './assemble-ensemble.js';
import { assembleOnnxModel } from './assemble-onnx-model.js';
import { assembleRemoteModel } from './assemble-remote-model.js';
import { assembleScriptModel } from './assemble-script-model.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { checkFallbacks } from './check-fallbacks.js';
import { checkOnnxModel } from './check-onnx-model.js';
import { checkRemoteModel } from './check-remote-model.js';
import { checkScriptModel } from './check-script-model.js';

/** A way to make a version of a model, and to say what is wrong with it before it is made. */
interface ModelKind {
  readonly isMeant: (message: ModelConfigMessage) => boolean;
  /** @throws RuntimeError that says what is wrong with it */
  readonly assemble: (
    parts: AssemblyParts,
    options: AssemblyOptions,
    what: { readonly description: ModelDescription; readonly version: number },
  ) => Promise<LoadedVersion>;
  /** @throws RuntimeError */
  readonly check: (description: ModelDescription) => unknown;
}

const KINDS: readonly ModelKind[] = [
  {
    isMeant: ({ ensemble_scheduling: scheduling }) => scheduling !== undefined,
    assemble: assembleEnsemble,
    check: () => undefined,
  },
  {
    isMeant: ({ cascade_scheduling: scheduling }) => scheduling !== undefined,
    assemble: assembleCascade,
    check: () => undefined,
  },
  { isMeant: isRemote, assemble: assembleRemoteModel, check: checkRemoteModel },
  {
    isMeant: ({ backend }) => backend === SCRIPT_BACKEND,
    assemble: assembleScriptModel,
    check: checkScriptModel,
  },
  {
    isMeant: ({ backend }) => backend === ONNX_BACKEND,
    assemble: assembleOnnxModel,
    check: checkOnnxModel,
  },
];

export function modelAssembler(parts: AssemblyParts, options: AssemblyOptions): LoadVersion {
  return async (description, version) => {
    const what = { description, version };
    const loaded = await kindOf(description.message).assemble(parts, options, what);
    try {
      checkFallbacks(parts.catalog, loaded.model);
      return loaded;
    } catch (error) {
      await loaded.close();
      throw error;
    }
  };
}

/** Whether a server could serve it, as far as that goes without opening the model. @throws RuntimeError */
export async function checkModel(description: ModelDescription): Promise<void> {
  await kindOf(description.message).check(description);
}

// ---- details below; callers need not read ----

function kindOf(message: ModelConfigMessage): ModelKind {
  const { backend = '', platform = '' } = message;
  const kind = KINDS.find(({ isMeant }) => isMeant(message));
  if (!kind && backend !== '') {
    const text = `unable to find backend library for backend '${backend}', try specifying runtime on the model configuration.`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }
  const unserved = kind ? unservedSetting(message) : `platform '${platform}'`;
  if (kind && unserved === undefined) return kind;
  const text = `${unserved ?? 'it'} is not supported by this version of inferd`;
  throw new RuntimeError('UNSUPPORTED', text);
}
