// Metrics of the machine and of the process. The names of nv_cpu_* are Triton's; the process and Node's event loop are prom-client's.

import { cpus, freemem, totalmem } from 'node:os';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

export interface MachineMetricOptions {
  /** nv_cpu_*. */
  readonly cpu: boolean;
  /** What the response cache of this process holds; undefined: there is none. */
  readonly cacheUsage?: (() => { readonly entries: number; readonly bytes: number }) | undefined;
}

export function machineMetrics({ cpu, cacheUsage }: MachineMetricOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, value: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(value());
        },
      }),
    );
  };
  if (cacheUsage) {
    const entries = 'Answers in the response cache of this process';
    gauge('inferd_response_cache_entries', entries, () => cacheUsage().entries);
    const bytes = 'What the answers in the response cache of this process take, in bytes';
    gauge('inferd_response_cache_bytes', bytes, () => cacheUsage().bytes);
  }
  if (!cpu) return registry;
  let last = processorTimes();
  gauge('nv_cpu_utilization', 'CPU utilization rate [0.0 - 1.0] since the last scrape', () => {
    const now = processorTimes();
    const all = now.all - last.all;
    const busy = now.busy - last.busy;
    last = now;
    return all === 0 ? 0 : busy / all;
  });
  gauge('nv_cpu_memory_total_bytes', 'CPU total memory (RAM), in bytes', totalmem);
  gauge(
    'nv_cpu_memory_used_bytes',
    'CPU used memory (RAM), in bytes',
    () => totalmem() - freemem(),
  );
  return registry;
}

/** Of all processors since the machine started. */
function processorTimes(): { busy: number; all: number } {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, all: busy + idle };
}
