// What happens beside the load of a soak, once a second: /metrics is scraped as Prometheus would, and memory is looked at.

import type { ServedProcess } from '../processes/served-process.js';
import { processStatus } from '../processes/process-status.js';
import { WINDOW_SECONDS, windowMedians } from './memory-growth.js';

export class OnceASecond {
  /** Resident bytes of the server. */
  readonly samples: number[] = [];
  readonly scrapeErrors: string[] = [];
  readonly #server: ServedProcess;
  readonly #tell: (seconds: number, bytes: number) => void;
  readonly #timer: NodeJS.Timeout;

  /** `tell` hears of every window of memory that is over. */
  constructor(server: ServedProcess, tell: (seconds: number, bytes: number) => void) {
    this.#server = server;
    this.#tell = tell;
    this.#timer = setInterval(() => void this.#look(), 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      this.samples.push(processStatus(this.#server.pid).residentBytes);
      const seconds = this.samples.length;
      if (seconds % WINDOW_SECONDS === 0) this.#tell(seconds, windowMedians(this.samples).at(-1)!);
      const answer = await fetch(`http://127.0.0.1:${this.#server.metricsPort}/metrics`);
      const text = await answer.text();
      if (answer.status !== 200 || !text.includes('nv_inference_request_success'))
        this.scrapeErrors.push(`/metrics answered ${answer.status} with ${text.length} bytes`);
    } catch (error) {
      this.scrapeErrors.push(String(error));
    }
  }
}
