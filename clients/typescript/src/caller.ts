// The life of a unary call: pick an address, send, perhaps hedge, perhaps try again elsewhere; all within one deadline.

import type { Balancer } from './balancer.js';
import { Budget } from './budget.js';
import { CallScope, pause } from './call-scope.js';
import type { ClientSettings, Metadata, RetrySettings } from './client-options.js';
import type { Clock } from './clock.js';
import type { Connection } from './connection.js';
import { HedgePolicy } from './hedge-policy.js';
import { hedgedRequest, isRetriable } from './hedged-request.js';
import { InferdError, errorOfAbort } from './inferd-error.js';
import type { Answer, Leg } from './leg.js';

/** What every call can be told. */
export interface CallOptions {
  /** For all attempts together; Infinity: none. [the client's] */
  readonly deadlineMs?: number;
  /** Cancels the call, which then fails with CANCELLED. */
  readonly signal?: AbortSignal;
  /** Added to the client's. */
  readonly metadata?: Metadata;
  /** This server, and no other. */
  readonly address?: string;
}

export interface UnaryCall {
  readonly path: string;
  readonly request: Buffer;
  readonly options: CallOptions;
  /** false: it is sent once, whatever happens. */
  readonly mayRepeat: boolean;
  /** The model, where a second request may be sent before the first has failed. */
  readonly hedgedModel?: string | undefined;
}

export interface CallerPorts {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

type Settings = Pick<ClientSettings, 'deadlineMs' | 'metadata' | 'retry' | 'hedge'>;

/** When a second request is due and no other server is ready, or no budget is left, that is looked at again after this time at the earliest. */
const HEDGE_AGAIN_MS = 10;

/** The state of one call. */
interface Progress {
  readonly call: UnaryCall;
  readonly scope: CallScope;
  readonly tried: Connection[];
}

export class Caller {
  readonly #balancer: Balancer;
  readonly #settings: Settings;
  readonly #ports: CallerPorts;
  readonly #retryBudget: Budget;
  readonly #hedges: HedgePolicy | undefined;

  constructor(balancer: Balancer, settings: Settings, ports: CallerPorts) {
    this.#balancer = balancer;
    this.#settings = settings;
    this.#ports = ports;
    this.#retryBudget = new Budget(settings.retry.budgetPercent);
    this.#hedges = settings.hedge && new HedgePolicy(settings.hedge);
  }

  /** @throws InferdError */
  async call(call: UnaryCall): Promise<Answer> {
    const { deadlineMs = this.#settings.deadlineMs, signal } = call.options;
    const scope = new CallScope({ deadlineMs, signal }, this.#ports.clock);
    const tried: Connection[] = [];
    this.#retryBudget.earn();
    this.#hedges?.budget.earn();
    try {
      return await this.#attempts({ call, scope, tried });
    } catch (error) {
      throw withAddress(error, tried.at(-1)?.address);
    } finally {
      scope.dispose();
    }
  }

  /** One server to keep to, such as for a stream; it lives as long as its signal. @throws InferdError */
  async connection({ address, signal }: CallOptions, deadlineMs: number): Promise<Connection> {
    const scope = new CallScope({ deadlineMs, signal }, this.#ports.clock);
    try {
      return await this.#nextConnection(address, { scope, tried: [] });
    } finally {
      scope.dispose();
    }
  }

  /** Every server there is, reachable or not, or the one that is named. @throws InferdError */
  async addresses({ address, signal }: CallOptions): Promise<readonly string[]> {
    if (address !== undefined) return [address];
    const scope = new CallScope(
      { deadlineMs: this.#settings.deadlineMs, signal },
      this.#ports.clock,
    );
    try {
      return (await this.#balancer.all(scope.signal)).map((connection) => connection.address);
    } finally {
      scope.dispose();
    }
  }

  async #attempts(progress: Progress): Promise<Answer> {
    const { call, scope, tried } = progress;
    for (let failures = 0; ;) {
      try {
        tried.push(await this.#nextConnection(call.options.address, progress));
        return await this.#attempt(progress);
      } catch (error) {
        failures++;
        const waitMs = backoffMs(failures, this.#settings.retry, this.#ports.random());
        const mayRepeat = call.mayRepeat && failures <= this.#settings.retry.max;
        if (!isRetriable(error) || !mayRepeat || waitMs >= scope.remainingMs) throw error;
        if (!this.#retryBudget.spend()) throw error;
        await pause(waitMs, this.#ports.clock, scope.signal);
      }
    }
  }

  #nextConnection(
    address: string | undefined,
    { scope, tried }: Pick<Progress, 'scope' | 'tried'>,
  ): Promise<Connection> {
    return address === undefined
      ? this.#balancer.ready(tried, scope.signal)
      : this.#balancer.at(address, scope.signal);
  }

  #attempt(progress: Progress): Promise<Answer> {
    const { call, scope, tried } = progress;
    const first = this.#leg(progress, tried.at(-1)!);
    const model = call.hedgedModel;
    if (!this.#hedges || model === undefined || call.options.address !== undefined)
      return first(scope.signal);
    const hedges = this.#hedges;
    const delayMs = hedges.delayMs(model);
    const measured = this.#measured(model, first, call.options.signal);
    if (delayMs === undefined) return measured(scope.signal);
    return hedgedRequest(
      measured,
      {
        schedule: (fn, again) =>
          this.#ports.clock.after(again ? Math.max(delayMs, HEDGE_AGAIN_MS) : delayMs, fn),
        second: () => this.#second(progress, hedges.budget),
      },
      scope.signal,
    );
  }

  #second(progress: Progress, budget: Budget): Leg | 'not yet' | 'never' {
    if (this.#balancer.size < 2) return 'never';
    const { tried } = progress;
    const other = this.#balancer.other(tried) ?? this.#balancer.other(tried.slice(-1));
    if (!other || !budget.spend()) return 'not yet';
    progress.tried.push(other);
    return this.#leg(progress, other);
  }

  /** One that loses against its hedge counts with the time it had: else slow answers would never be seen. */
  #measured(model: string, leg: Leg, callersSignal: AbortSignal | undefined): Leg {
    return async (signal) => {
      const { clock } = this.#ports;
      const from = clock.now();
      const record = (): void => this.#hedges?.record(model, clock.now() - from);
      try {
        const answer = await leg(signal);
        record();
        return answer;
      } catch (error) {
        if (signal.aborted && !callersSignal?.aborted) record();
        throw error;
      }
    };
  }

  #leg({ call, scope }: Progress, connection: Connection): Leg {
    const { path, request, options } = call;
    const metadata = { ...this.#settings.metadata, ...options.metadata };
    return async (signal) => {
      if (signal.aborted) throw errorOfAbort(signal);
      const outgoing = { path, metadata, timeoutMs: scope.timeoutMs };
      const bytes = await connection.unary(outgoing, request, signal);
      return { bytes, address: connection.address };
    };
  }
}

/** Deadlines and cancellations are the client's own; where the call was when they came helps to find out why. */
function withAddress(error: unknown, address: string | undefined): unknown {
  if (!(error instanceof InferdError) || error.address !== undefined) return error;
  return new InferdError(error.code, error.details, { address, cause: error.cause });
}

/** A random part of a time that doubles, so that clients that failed together do not come again together. */
function backoffMs(failures: number, retry: RetrySettings, random: number): number {
  return random * Math.min(retry.initialBackoffMs * 2 ** (failures - 1), retry.maxBackoffMs);
}
