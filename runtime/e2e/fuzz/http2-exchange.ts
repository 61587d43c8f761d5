// One request on an HTTP/2 connection without a gRPC library, so that headers and frames can be wrong, or on a bare socket, so
// that not even HTTP/2 need be spoken.

import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { Outcome } from './outcome.js';

export interface Http2Request {
  readonly path: string;
  /** Beside or in place of those of a gRPC call; undefined leaves one out. */
  readonly headers?: OutgoingHttpHeaders;
  /** Written one by one. */
  readonly chunks: readonly Buffer[];
  /** The sender leaves the call as soon as it has written; missing: it half-closes. */
  readonly leaves?: 'at once' | 'without half-close' | 'by reset';
  /** It leaves when the first message has come, because a stream has no end of its own. */
  readonly streams?: true;
}

const GRPC_HEADERS: OutgoingHttpHeaders = {
  ':method': 'POST',
  'content-type': 'application/grpc',
  te: 'trailers',
};

const LINGER_MS = 50;

export class Http2Exchange {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** On a connection of its own, which it may break. */
  async send(request: Http2Request): Promise<Outcome> {
    const session = connect(`http://127.0.0.1:${this.#port}`);
    // Its stream tells the same.
    session.on('error', () => undefined);
    const headers = { ...GRPC_HEADERS, ':path': request.path, ...request.headers };
    const present = Object.entries(headers).filter(([, value]) => value !== undefined);
    try {
      return await exchange(session, Object.fromEntries(present), request);
    } finally {
      session.destroy();
    }
  }

  /** Resolves when the connection is closed, by the server or, a little after all was written, by us. */
  sendToSocket(bytes: Buffer): Promise<Outcome> {
    return new Promise((resolve) => {
      const socket = connectSocket(this.#port, '127.0.0.1');
      socket.once('error', () => undefined);
      socket.once('close', () => resolve({ end: 'closed', reason: 'connection closed' }));
      socket.resume();
      socket.write(bytes, () => setTimeout(() => socket.destroy(), LINGER_MS));
    });
  }
}

// ---- details below; callers need not read ----

function exchange(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  { chunks, leaves, streams }: Http2Request,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: false });
    const body: Buffer[] = [];
    let fields: Record<string, unknown> = {};
    const add = (more: object): void => void (fields = { ...fields, ...more });
    stream.on('response', add);
    stream.on('trailers', add);
    stream.on('data', (chunk: Buffer) => {
      body.push(chunk);
      if (streams) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once('error', () => undefined);
    stream.once('close', () => {
      const answered = streams && body.length > 0 ? { 'grpc-status': 0 } : {};
      resolve(outcomeOf({ ...answered, ...fields }, Buffer.concat(body), stream.rstCode));
    });
    for (const chunk of chunks) stream.write(chunk);
    if (leaves === undefined) stream.end();
    else if (leaves === 'at once') stream.close(constants.NGHTTP2_CANCEL);
    else if (leaves === 'by reset') stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    else setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), LINGER_MS);
  });
}

function outcomeOf(
  fields: Record<string, unknown>,
  body: Buffer,
  rstCode: number | undefined,
): Outcome {
  const code = fields['grpc-status'];
  const httpStatus = Number(fields[':status']);
  if (code !== undefined) {
    const details = decoded((fields['grpc-message'] as string | undefined) ?? '');
    const message = body.length >= 5 ? { message: body.subarray(5) } : {};
    return { end: 'status', code: Number(code), details, ...message };
  }
  if (httpStatus > 0 && httpStatus !== 200) return { end: 'http', status: httpStatus };
  return { end: 'closed', reason: `HTTP/2 error code ${rstCode ?? 'none'}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
