// An endpoint that does what the test says, right or wrong: HTTP/2 without gRPC's rules.

import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

export class Http2Endpoint {
  readonly sessions: ServerHttp2Session[] = [];
  readonly #server: Http2Server;

  static async start(
    answer: (stream: ServerHttp2Stream, path: string) => void,
  ): Promise<Http2Endpoint> {
    const endpoint = new Http2Endpoint(answer);
    await new Promise<void>((resolve) => endpoint.#server.listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  private constructor(answer: (stream: ServerHttp2Stream, path: string) => void) {
    this.#server = createServer();
    this.#server.on('session', (session) => this.sessions.push(session));
    this.#server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      answer(stream, headers[':path']!);
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const session of this.sessions) session.destroy();
    this.#server.close();
  }
}

/** Headers, and trailers with a status when it ends. */
export function begin(stream: ServerHttp2Stream, status = 0): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
}

/** A message of gRPC. */
export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
