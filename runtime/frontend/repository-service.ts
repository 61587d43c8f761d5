// The calls of GRPCInferenceService that list, load and unload models.

import { RuntimeError } from '../core/errors.js';
import type { LoadOverride, ModelControl } from '../core/model-control.js';
import type { Message } from './message-codec.js';
import { inferenceMethod } from './server-service.js';
import type { UnaryMethod } from './unary-method.js';

export function repositoryMethods(control: ModelControl): UnaryMethod[] {
  return [
    inferenceMethod('RepositoryIndex', async (request) => {
      checkRepositoryName(request);
      const entries = await control.index({ readyOnly: request['ready'] === true });
      return {
        models: entries.map(({ name, version, state, reason, ...more }) => ({
          name,
          version: version === undefined ? '' : String(version),
          state,
          reason,
          properties: more.properties ?? {},
          load_failure: more.loadFailure ?? '',
        })),
      };
    }),
    inferenceMethod('RepositoryModelLoad', async (request) => {
      checkRepositoryName(request);
      await control.load(String(request['model_name']), overrideFrom(parametersOf(request)));
      return {};
    }),
    inferenceMethod('RepositoryModelUnload', async (request) => {
      checkRepositoryName(request);
      const withParts = unloadsDependents(parametersOf(request));
      await control.unload(String(request['model_name']), { withParts });
      return {};
    }),
  ];
}

// ---- details below; callers need not read ----

interface Parameter {
  readonly parameter_choice?: string;
  readonly bool_param?: boolean;
  readonly string_param?: string;
  readonly bytes_param?: Uint8Array;
}

type Parameters = Readonly<Record<string, Parameter>>;

function parametersOf(request: Message): Parameters {
  return request['parameters'] as Parameters;
}

function checkRepositoryName(request: Message): void {
  if (request['repository_name'] === '') return;
  throw new RuntimeError('UNSUPPORTED', "'repository_name' specification is not supported");
}

const FILE = 'file:';

/** Undefined when the call brings nothing. */
function overrideFrom(parameters: Parameters): LoadOverride | undefined {
  let config: string | undefined;
  const files = new Map<string, Uint8Array>();
  for (const [key, parameter] of Object.entries(parameters)) {
    if (key === 'config') config = valueOf(parameter, key, 'string_param');
    else if (key.startsWith(FILE))
      files.set(key.slice(FILE.length), valueOf(parameter, key, 'bytes_param'));
    else throw new RuntimeError('INVALID_ARGUMENT', `unrecognized load parameter '${key}'.`);
  }
  if (config !== undefined) return { config, files };
  return files.size > 0 ? { files } : undefined;
}

function valueOf<Type extends 'string_param' | 'bytes_param'>(
  parameter: Parameter,
  key: string,
  type: Type,
): NonNullable<Parameter[Type]> {
  if (parameter.parameter_choice !== type) throw wrongType('load', key, type);
  return parameter[type]!;
}

/** Unknown parameters of an unload are ignored, as Triton does. */
function unloadsDependents(parameters: Parameters): boolean {
  const parameter = parameters['unload_dependents'];
  const type = parameter?.parameter_choice;
  if (type !== undefined && type !== 'bool_param')
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      "invalid value type for 'unload_dependents' parameter, expected bool_param.",
    );
  return parameter?.bool_param === true;
}

function wrongType(call: string, key: string, expected: string): RuntimeError {
  const text = `invalid value type for ${call} parameter '${key}', expected ${expected}.`;
  return new RuntimeError('INVALID_ARGUMENT', text);
}
