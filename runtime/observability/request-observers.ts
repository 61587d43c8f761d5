// Who is told of each request that has ended, as the options say: the access log, traces, both or nobody.

import type { Log } from '../core/log.js';
import type {
  FinishedRequest,
  RequestFacts,
  RequestObserver,
  RequestTrace,
} from '../core/request-observer.js';
import type { TraceControl } from '../core/trace-control.js';
import { AccessLog } from './access-log.js';
import type { TracingOptions } from './open-telemetry.js';

export interface RequestObserverOptions {
  /** A line for every so many requests; 0: none. */
  readonly logEvery: number;
  /** Undefined: no traces. */
  readonly tracing: TracingOptions | undefined;
}

export interface RequestObservers {
  /** Undefined: nobody. */
  readonly observer: RequestObserver | undefined;
  /** Undefined: no traces. */
  readonly traces: TraceControl | undefined;
  /** Sends what is left to be sent. */
  readonly stop: () => Promise<void>;
}

export async function startRequestObservers(
  { logEvery, tracing }: RequestObserverOptions,
  log: Log,
): Promise<RequestObservers> {
  const observers: RequestObserver[] = [];
  if (logEvery > 0) observers.push(new AccessLog(log, logEvery));
  if (!tracing) {
    const stop = (): Promise<void> => Promise.resolve();
    return { observer: combined(observers, log), traces: undefined, stop };
  }
  // Half a second and 20 MB that servers without traces need not spend.
  const { Tracing } = await import('./open-telemetry.js');
  const traces = new Tracing(tracing);
  observers.push(traces);
  const stop = (): Promise<void> => traces.stop();
  return { observer: combined(observers, log), traces: traces.sampling, stop };
}

/** What goes wrong here is told and goes no further: others of the same batch still wait for their answers. */
function combined(observers: readonly RequestObserver[], log: Log): RequestObserver | undefined {
  if (observers.length === 0) return undefined;
  const safely = <Result>(observe: () => Result): Result | undefined => {
    try {
      return observe();
    } catch (error) {
      log.error({}, `a request could not be observed: ${String(error)}`);
      return undefined;
    }
  };
  const requestFinished = (request: FinishedRequest): void =>
    safely(() => observers.forEach((observer) => observer.requestFinished(request)));
  const tracing = observers.find((observer) => observer.traceOf !== undefined);
  if (!tracing) return { requestFinished };
  const traceOf = (request: RequestFacts): RequestTrace | undefined =>
    safely(() => tracing.traceOf!(request));
  return { requestFinished, traceOf };
}
