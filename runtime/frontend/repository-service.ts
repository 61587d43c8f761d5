// The calls of GRPCInferenceService that list, load and unload models.

import { RuntimeError } from '../core/errors.js';
import type { ModelControl } from '../core/model-control.js';
import type { GrpcMethod } from './grpc-transport.js';
import type { Message } from './message-codec.js';
import { inferenceMethod } from './server-service.js';

export function repositoryMethods(control: ModelControl): GrpcMethod[] {
  return [
    inferenceMethod('RepositoryIndex', async (request) => {
      checkRepositoryName(request);
      const entries = await control.index({ readyOnly: request['ready'] === true });
      return {
        models: entries.map(({ name, version, state, reason }) => ({
          name,
          version: version === undefined ? '' : String(version),
          state,
          reason,
        })),
      };
    }),
    inferenceMethod('RepositoryModelLoad', async (request) => {
      checkRepositoryName(request);
      checkLoadParameters(parametersOf(request));
      await control.load(String(request['model_name']));
      return {};
    }),
    inferenceMethod('RepositoryModelUnload', async (request) => {
      checkRepositoryName(request);
      checkUnloadParameters(parametersOf(request));
      await control.unload(String(request['model_name']));
      return {};
    }),
  ];
}

// ---- details below; callers need not read ----

type Parameters = Record<string, { readonly parameter_choice?: string }>;

function parametersOf(request: Message): Parameters {
  return request['parameters'] as Parameters;
}

function checkRepositoryName(request: Message): void {
  if (request['repository_name'] === '') return;
  throw new RuntimeError('UNSUPPORTED', "'repository_name' specification is not supported");
}

function checkLoadParameters(parameters: Parameters): void {
  for (const [key, { parameter_choice: type }] of Object.entries(parameters)) {
    if (key === 'config' && type !== 'string_param') throw wrongType('load', key, 'string_param');
    if (key.startsWith('file:') && type !== 'bytes_param')
      throw wrongType('load', key, 'bytes_param');
    if (key === 'config' || key.startsWith('file:'))
      throw new RuntimeError(
        'UNSUPPORTED',
        `load parameter '${key}' is not supported by this version of inferd`,
      );
    throw new RuntimeError('INVALID_ARGUMENT', `unrecognized load parameter '${key}'.`);
  }
}

/** Unknown parameters of an unload are ignored, as Triton does. */
function checkUnloadParameters(parameters: Parameters): void {
  const type = parameters['unload_dependents']?.parameter_choice;
  if (type !== undefined && type !== 'bool_param')
    throw new RuntimeError(
      'INVALID_ARGUMENT',
      "invalid value type for 'unload_dependents' parameter, expected bool_param.",
    );
}

function wrongType(call: string, key: string, expected: string): RuntimeError {
  const text = `invalid value type for ${call} parameter '${key}', expected ${expected}.`;
  return new RuntimeError('INVALID_ARGUMENT', text);
}
