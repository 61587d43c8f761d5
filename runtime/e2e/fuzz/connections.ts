// The ways to the server: several gRPC connections, which good and broken requests share, and bare ones for what a gRPC library
// would not send.

import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { FuzzCase } from './fuzz-case.js';
import { Http2Exchange } from './http2-exchange.js';
import type { Outcome } from './outcome.js';

const COUNT = 4;

export class Connections {
  readonly #clients: readonly Client[];
  readonly #bare: Http2Exchange;
  #turn = 0;

  constructor(port: number) {
    this.#clients = Array.from({ length: COUNT }, () => openClient(port));
    this.#bare = new Http2Exchange(port);
  }

  /** Never rejects. The caller leaves the call, if it can, when `timeoutMs` have passed without an end. */
  send({ sending }: FuzzCase, timeoutMs: number): Promise<Outcome> {
    switch (sending.by) {
      case 'grpc':
        return unary(this.#nextClient(), sending, timeoutMs);
      case 'http2':
        return endsIn(this.#bare.send(sending), timeoutMs);
      case 'socket':
        return endsIn(this.#bare.sendToSocket(sending.bytes), timeoutMs);
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  // ---- details below; callers need not read ----

  #nextClient(): Client {
    this.#turn = (this.#turn + 1) % COUNT;
    return this.#clients[this.#turn]!;
  }
}

function openClient(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
  });
}

/** Without a deadline: the server would be told of it, and end a call that it has forgotten. */
function unary(
  client: Client,
  { path, message }: { readonly path: string; readonly message: Buffer },
  timeoutMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    // prettier-ignore
    const call = client.makeUnaryRequest(path, asIs, asIs, message, new Metadata(), {}, (error, bytes) => {
      clearTimeout(timer);
      if (error) resolve({ end: 'status', code: error.code, details: error.details });
      else resolve({ end: 'status', code: 0, details: '', message: bytes! });
    });
    const timer = setTimeout(() => {
      resolve({ end: 'hung' });
      call.cancel();
    }, timeoutMs);
  });
}

async function endsIn(outcome: Promise<Outcome>, timeoutMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ end: 'hung' }), timeoutMs);
  });
  try {
    return await Promise.race([outcome, hung]);
  } finally {
    clearTimeout(timer);
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
