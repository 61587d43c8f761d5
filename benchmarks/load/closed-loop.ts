// A gRPC client on node:http2 that sends one request over and over, as fast as answers come, and tells how each has ended.

import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Point } from '../works/work.js';
import { INFER_PATH } from './load.js';

export interface LoopTask {
  readonly port: number;
  /** The body of every request, framed as gRPC does. */
  readonly body: Uint8Array;
  readonly point: Point;
}

/** A request that has ended, one way or the other. Times are those of performance.now(). */
export interface EndedRequest {
  readonly sentAt: number;
  readonly endedAt: number;
  /** undefined: it was answered OK. Otherwise what the status or the connection said. */
  readonly failure: string | undefined;
  /** The answer, framed. */
  readonly body: Buffer;
}

export interface LoopListener {
  /** Asked before each request. */
  wantsMore(): boolean;
  ended(request: EndedRequest): void;
}

/** Resolves when no more requests are wanted and the last has ended, or when every connection is lost. */
export async function closedLoop(task: LoopTask, listener: LoopListener): Promise<void> {
  const settings = { initialWindowSize: WINDOW_BYTES };
  const sessions = Array.from({ length: task.point.connections }, () =>
    connect(`http://127.0.0.1:${task.port}`, { settings }),
  );
  const streams = sessions.flatMap((session) => {
    // Each of its requests tells of it.
    session.on('error', () => undefined);
    return Array.from({ length: task.point.streams }, () => requests(session, task.body, listener));
  });
  await Promise.all(streams);
  for (const session of sessions) session.close();
}

// ---- details below; callers need not read ----

const WINDOW_BYTES = 2 ** 24;
const HEADERS = {
  ':method': 'POST',
  ':path': INFER_PATH,
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** One after the other. */
function requests(
  session: ClientHttp2Session,
  body: Uint8Array,
  listener: LoopListener,
): Promise<void> {
  return new Promise((resolve) => {
    const next = (): void => {
      if (session.closed || session.destroyed || !listener.wantsMore()) resolve();
      else follow(session.request(HEADERS), body, end);
    };
    const end = (request: EndedRequest): void => {
      listener.ended(request);
      next();
    };
    next();
  });
}

function follow(
  stream: ClientHttp2Stream,
  body: Uint8Array,
  end: (request: EndedRequest) => void,
): void {
  const sentAt = performance.now();
  const chunks: Buffer[] = [];
  let status: IncomingHttpHeaders[string];
  let text: IncomingHttpHeaders[string];
  let broken: string | undefined;
  const read = (headers: IncomingHttpHeaders): void => {
    status = headers['grpc-status'] ?? status;
    text = headers['grpc-message'] ?? text;
  };
  stream.on('response', read);
  stream.on('trailers', read);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', (error: Error) => (broken = error.message));
  stream.on('close', () => {
    const failure = status === '0' ? undefined : failureText(status, text, broken);
    const [first] = chunks;
    const answer = first && chunks.length === 1 ? first : Buffer.concat(chunks);
    end({ sentAt, endedAt: performance.now(), failure, body: answer });
  });
  stream.end(body);
}

function failureText(
  status: IncomingHttpHeaders[string],
  text: IncomingHttpHeaders[string],
  broken: string | undefined,
): string {
  if (status === undefined) return broken ?? 'the connection was closed';
  return `grpc-status ${String(status)} ${String(text ?? '')}`;
}
