// A gRPC client that sends one request over and over on node:http2, and the time each took. Run by own-load.ts as:
// own-loader.js TASK, a LoadTask as JSON; writes a LoadResult as JSON.

import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { percentile } from '../median.js';
import { INFER_PATH, type LoadResult, type LoadTask } from './load.js';

const WINDOW_BYTES = 2 ** 24;
const HEADERS = {
  ':method': 'POST',
  ':path': INFER_PATH,
  'content-type': 'application/grpc',
  te: 'trailers',
};

class OwnLoad {
  readonly #task: LoadTask;
  readonly #body: Buffer;
  readonly #durationsUs: Float64Array;
  #sent = 0;
  #answered = 0;
  #done: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(task: LoadTask) {
    this.#task = task;
    this.#body = readFileSync(task.bodyFile);
    this.#durationsUs = new Float64Array(task.requests);
  }

  async run(): Promise<LoadResult> {
    const { port, point, requests } = this.#task;
    const startedAt = performance.now();
    const settings = { initialWindowSize: WINDOW_BYTES };
    const sessions = Array.from({ length: point.connections }, () =>
      connect(`http://127.0.0.1:${port}`, { settings }),
    );
    await new Promise<void>((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      for (const session of sessions) {
        session.on('error', reject);
        for (let stream = 0; stream < point.streams; stream++) this.#next(session);
      }
    });
    const seconds = (performance.now() - startedAt) / 1000;
    for (const session of sessions) session.close();
    const sorted = this.#durationsUs.sort();
    return {
      requestsPerSecond: requests / seconds,
      p50Us: percentile(sorted, 0.5),
      p99Us: percentile(sorted, 0.99),
    };
  }

  #next(session: ClientHttp2Session): void {
    if (this.#sent === this.#task.requests) return;
    this.#sent++;
    const sentAt = performance.now();
    const stream = session.request(HEADERS);
    let status: IncomingHttpHeaders[string];
    const read = (headers: IncomingHttpHeaders): void => {
      status = headers['grpc-status'] ?? status;
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', (error: Error) => this.#failed(error));
    stream.on('close', () => {
      if (status !== '0') this.#failed(new Error(`grpc-status ${String(status)}`));
      this.#durationsUs[this.#answered++] = (performance.now() - sentAt) * 1000;
      if (this.#answered === this.#task.requests) this.#done();
      else this.#next(session);
    });
    stream.resume();
    stream.end(this.#body);
  }
}

const result = await new OwnLoad(JSON.parse(process.argv[2]!) as LoadTask).run();
process.stdout.write(JSON.stringify(result));
