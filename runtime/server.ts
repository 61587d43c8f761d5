// One server from its options: what is started, in which order, and how it ends. Everything started is stopped, in reverse.

import { modelAssembler } from './assembly/assemble-model.js';
import { pipelineCheck } from './assembly/check-pipeline.js';
import { openResponseCache } from './cache/open-response-cache.js';
import type { CacheUsage, ResponseCache } from './cache/response-cache.js';
import type { ServerOptions } from './config/server-options.js';
import { systemClock, type Clock } from './core/clock.js';
import type { AdjustableLog } from './core/log.js';
import type { ModelIndexEntry } from './core/model-control.js';
import { TimerWheel } from './core/timer-wheel.js';
import { startFrontEnds, type InnerDoor, type Ports } from './front-ends.js';
import { ExecutorThreads } from './instance/executor-threads.js';
import { hasCudaGpu } from './instance/gpu-detection.js';
import { ModelMemory } from './instance/model-memory.js';
import { RateLimiter } from './instance/rate-limiter.js';
import { LoadReport } from './observability/load-report.js';
import { holdOverrideFiles, showModelCard } from './repository/load-layers.js';
import { clearStaleOverrides } from './repository/stale-overrides.js';
import { ModelLoader } from './repository/model-loader.js';
import { ModelManager } from './repository/model-manager.js';
import { ModelRegistry } from './repository/model-registry.js';
import { RepositoryPoller } from './repository/repository-poller.js';
import { readRepositoryState } from './repository/repository-state.js';
import type { LoadVersion } from './repository/servable-handle.js';
import { ServerLifecycle } from './server-lifecycle.js';

export interface Server {
  readonly ports: Ports;
  /** For callers in the same process. */
  readonly innerDoor: InnerDoor;
  /** What a person wants to see of the models after the start. */
  readonly models: readonly ModelIndexEntry[];
  /** Everything that is wrong, by model. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
  /** Refuses new requests, lets those under way finish for as long as the options say, and frees everything. */
  close(): Promise<void>;
}

/** Models that were to be served could not be loaded, and the options say that this ends the server. */
export class StartFailed extends Error {
  readonly models: readonly ModelIndexEntry[];
  readonly problems: ReadonlyMap<string, readonly string[]>;

  constructor(
    message: string,
    report: {
      models: readonly ModelIndexEntry[];
      problems: ReadonlyMap<string, readonly string[]>;
    },
  ) {
    super(message);
    this.models = report.models;
    this.problems = report.problems;
  }
}

/** Resolves when every model has been tried and every port is open. @throws StartFailed, or what the system says of a port */
export async function createServer(options: ServerOptions, log: AdjustableLog): Promise<Server> {
  const { responseCache } = options;
  const cache =
    responseCache && (await openResponseCache(responseCache, { clock: systemClock, log }));
  const building = new ServerBuilder(options, log, cache);
  try {
    return await building.start();
  } catch (error) {
    await building.stop();
    throw error;
  }
}

// ---- details below; callers need not read ----

class ServerBuilder {
  readonly #options: ServerOptions;
  readonly #log: AdjustableLog;
  readonly #clock: Clock = systemClock;
  readonly #cache: ResponseCache | undefined;
  readonly #lifecycle: ServerLifecycle;
  readonly #report: LoadReport;
  readonly #registry: ModelRegistry;
  readonly #manager: ModelManager;

  constructor(options: ServerOptions, log: AdjustableLog, cache: ResponseCache | undefined) {
    this.#cache = cache;
    this.#options = options;
    this.#log = log;
    this.#lifecycle = new ServerLifecycle({
      clock: this.#clock,
      log,
      drainDelayMs: options.drainDelayMs,
      areModelsReady: () => !options.strictReadiness || this.#manager.isReady(),
    });
    if (cache) this.#lifecycle.onStop('response cache', () => cache.close());
    this.#report = new LoadReport(log, this.#clock);
    const hasGpu = hasCudaGpu();
    const {
      modelRepositories: repositories,
      modelControlMode: controlMode,
      autoComplete,
    } = options;
    this.#registry = new ModelRegistry((name) => this.#manager.isListed(name));
    const assemble = this.#createAssembler(hasGpu);
    const loadVersion = holdOverrideFiles(showModelCard(assemble));
    const parts = { registry: this.#registry, loadVersion, observer: this.#report };
    const loader = new ModelLoader(parts, options.modelLoadThreads);
    this.#manager = new ModelManager(
      { repositories, controlMode, hasGpu, autoComplete, hasResponseCache: !!cache },
      {
        ...{ registry: this.#registry, loader, observer: this.#report },
        checkParts: pipelineCheck(this.#registry),
      },
    );
    this.#lifecycle.onStop('models', () => this.#manager.stop());
  }

  async start(): Promise<Server> {
    const poller = await this.#preparePoller();
    await clearStaleOverrides();
    const failures = await this.#manager.start(this.#options.loadModels);
    poller?.start();
    const models = await this.#manager.index({ readyOnly: false });
    const { problems } = this.#report;
    for (const [name, error] of failures)
      if (!problems.has(name)) problems.set(name, [error.message.trim()]);
    if (failures.size > 0 && this.#options.exitOnError) {
      const names = [...failures.keys()].join(', ');
      throw new StartFailed(
        `${names} could not be loaded; --exit-on-error=false starts without what fails`,
        { models, problems },
      );
    }
    const frontEnds = await startFrontEnds(
      {
        lifecycle: this.#lifecycle,
        catalog: this.#registry,
        control: this.#manager,
        clock: this.#clock,
        log: this.#log,
        cacheUsage: usageOf(this.#cache),
      },
      this.#options,
    );
    this.#lifecycle.started();
    return { ...frontEnds, models, problems, close: () => this.stop() };
  }

  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  /** Undefined unless the options want the repositories followed. */
  async #preparePoller(): Promise<RepositoryPoller | undefined> {
    const { modelControlMode, modelRepositories, repositoryPollMs } = this.#options;
    if (modelControlMode !== 'poll' || repositoryPollMs === 0) return undefined;
    const parts = {
      clock: this.#clock,
      log: this.#log,
      look: () => readRepositoryState(modelRepositories),
      follow: (name: string) => this.#manager.follow(name),
      forget: (name: string) => this.#manager.forget(name),
    };
    const poller = new RepositoryPoller(parts, repositoryPollMs);
    await poller.prepare();
    this.#lifecycle.onStop('poll mode', () => poller.stop());
    return poller;
  }

  #createAssembler(hasGpu: boolean): LoadVersion {
    const { maxModelMemoryBytes, resourceLimits, metrics } = this.#options;
    return modelAssembler(
      {
        threads: this.#startThreads(),
        clock: this.#clock,
        wheel: new TimerWheel(this.#clock),
        log: this.#log,
        catalog: this.#registry,
        memory:
          maxModelMemoryBytes === undefined ? undefined : new ModelMemory(maxModelMemoryBytes),
        cache: this.#cache,
        limiter: resourceLimits && new RateLimiter(resourceLimits),
      },
      { ...this.#options, hasGpu, summaries: metrics?.summaryQuantiles !== undefined },
    );
  }

  #startThreads(): ExecutorThreads {
    const { executorThreads: maxThreads, log } = this.#options;
    const ortLogLevel = log.verboseLevel > 1 ? 0 : log.verboseLevel === 1 ? 2 : 4;
    const threads = new ExecutorThreads({
      maxThreads,
      settings: { ortLogLevel },
      clock: this.#clock,
      died: ({ message }) =>
        this.#log.error({}, `an executor thread died and is replaced: ${message}`),
      trouble: ({ message }) => this.#log.warn({}, `an instance could not leave: ${message}`),
    });
    this.#lifecycle.onStop('executor threads', () => threads.close());
    return threads;
  }
}

/** Undefined where this process holds nothing. */
function usageOf(cache: ResponseCache | undefined): (() => CacheUsage) | undefined {
  if (!cache?.usage()) return undefined;
  return () => cache.usage() ?? { entries: 0, bytes: 0 };
}
