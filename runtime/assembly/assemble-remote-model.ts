// A remote model = observe > validate (> resilience) > its endpoints. It has no queue and no instances, and loads without asking its endpoints when its
// configuration says what its inputs and outputs are.

import type { ModelConfig } from '../config/model-config.js';
import { declaresTensors, type RemoteConfig } from '../config/remote-config.js';
import type { ServedModel } from '../core/model-catalog.js';
import { ModelStatistics } from '../core/model-statistics.js';
import type { PipelineNode } from '../core/pipeline-node.js';
import { stack, type Servable } from '../core/servable.js';
import { observe } from '../layer/observe.js';
import { validateInputs } from '../layer/validate-inputs.js';
import { RemoteModel } from '../remote/answer.js';
import { describeRemoteModel, type RemoteDescription } from '../remote/describe-remote-model.js';
import { GrpcConnection, channelCredentials } from '../remote/grpc-connection.js';
import { RemoteEndpoints } from '../remote/remote-endpoints.js';
import { RemoteServable } from '../remote/remote-servable.js';
import type { ModelDescription } from '../repository/model-description.js';
import type { LoadedVersion } from '../repository/servable-handle.js';
import type { AssemblyOptions, AssemblyParts } from './assembly-parts.js';
import { checkRemoteModel } from './check-remote-model.js';
import { completeRemoteConfig } from './complete-remote-config.js';
import { modelResilience } from './model-resilience.js';
import { readTlsFiles } from './read-tls-files.js';
import { servedModel } from './served-model.js';

/** @throws RuntimeError that says what is wrong with it, or with its endpoints where they had to be asked */
export async function assembleRemoteModel(
  parts: AssemblyParts,
  options: Pick<AssemblyOptions, 'summaries'>,
  { description, version }: { readonly description: ModelDescription; readonly version: number },
): Promise<LoadedVersion> {
  const remote = checkRemoteModel(description);
  const endpoints = await openEndpoints(parts, remote, description.directory);
  try {
    const described = await askIfNeeded(parts, { remote, endpoints, description });
    const complete = (changed: ModelDescription): ReturnType<typeof completeRemoteConfig> =>
      completeRemoteConfig(changed, described);
    const config = complete(description);
    const statistics = new ModelStatistics(options);
    const { directory } = description;
    const served = await servedModel(config, directory, { version, statistics });
    return new RemoteVersion(parts, { config, endpoints, remote, complete, served });
  } catch (error) {
    endpoints.close();
    throw error;
  }
}

// ---- details below; callers need not read ----

async function openEndpoints(
  { clock }: AssemblyParts,
  remote: RemoteConfig,
  directory: string,
): Promise<RemoteEndpoints> {
  const channel = channelCredentials(await readTlsFiles(remote.tls, directory));
  return RemoteEndpoints.open(remote, {
    clock,
    connect: (address, serverName) => new GrpcConnection(address, channel, serverName),
  });
}

async function askIfNeeded(
  { clock }: AssemblyParts,
  {
    remote: { modelName, modelVersion },
    endpoints,
    description,
  }: {
    readonly remote: RemoteConfig;
    readonly endpoints: RemoteEndpoints;
    readonly description: ModelDescription;
  },
): Promise<RemoteDescription | undefined> {
  if (declaresTensors(description.message)) return undefined;
  const source = {
    clock,
    remote: { name: modelName, version: modelVersion },
    endpoints: () => {
      endpoints.refresh();
      return endpoints.endpoints.all;
    },
  };
  // The server's timers keep no process alive, and at its start there may be nothing else.
  const awake = setInterval(() => undefined, 60_000);
  try {
    return await describeRemoteModel(source, description.name);
  } finally {
    clearInterval(awake);
  }
}

function remoteNode(
  { modelName, modelVersion }: RemoteConfig,
  from: RemoteEndpoints,
): PipelineNode {
  return {
    kind: 'remote',
    name: '',
    model: { name: modelName, version: Number(modelVersion) },
    get children() {
      return from.endpoints.all;
    },
  };
}

interface RemoteVersionParts {
  readonly config: ModelConfig;
  readonly remote: RemoteConfig;
  readonly endpoints: RemoteEndpoints;
  readonly complete: (description: ModelDescription) => ReturnType<typeof completeRemoteConfig>;
  readonly served: ServedModel;
}

class RemoteVersion implements LoadedVersion {
  readonly servable: Servable;
  readonly #endpoints: RemoteEndpoints;
  readonly #complete: RemoteVersionParts['complete'];
  #model: ServedModel;

  constructor(assembly: AssemblyParts, parts: RemoteVersionParts) {
    const { clock, wheel } = assembly;
    const { config, endpoints, remote, served } = parts;
    const { name, statistics, version, batched, outputs } = served;
    const decoupled = config.message.model_transaction_policy?.decoupled === true;
    const inside = remoteNode(remote, endpoints);
    const resilience = modelResilience(config.resilience, assembly, {
      model: { name, version, batched, outputs },
      inside,
    });
    this.#endpoints = endpoints;
    this.#complete = parts.complete;
    this.#model = Object.freeze({ ...served, decoupled, pipeline: resilience?.node ?? inside });
    const leaf = new RemoteServable({
      ...{ statistics, clock, wheel, endpoints: endpoints.endpoints },
      model: new RemoteModel({
        ...{ name, version: String(version), batched, decoupled, outputs },
        remote: { name: remote.modelName, version: remote.modelVersion },
      }),
      refresh: () => endpoints.refresh(),
      whyNone: () => endpoints.problem,
    });
    const layers = [
      observe(statistics, clock),
      validateInputs(config, { textOnly: false }),
      ...(resilience?.layers ?? []),
    ];
    this.servable = stack(layers, leaf);
  }

  get model(): ServedModel {
    return this.#model;
  }

  update(description: ModelDescription): Promise<ServedModel> {
    checkRemoteModel(description);
    const { message: configMessage, configOrigins } = this.#complete(description);
    this.#model = Object.freeze({ ...this.#model, configMessage, configOrigins });
    return Promise.resolve(this.#model);
  }

  /** Endpoints come back; a remote model is never lost. */
  onLost(): void {
    return undefined;
  }

  close(): Promise<void> {
    this.#endpoints.close();
    return Promise.resolve();
  }
}
