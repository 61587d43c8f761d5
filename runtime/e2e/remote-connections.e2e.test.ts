// The connection of a remote model to endpoints that go away, hang, or keep to no rules, over real sockets.

import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CallStatus, OpenStream } from '../remote/endpoint-connection.js';
import { GrpcConnection, channelCredentials } from '../remote/grpc-connection.js';
import { endpointError } from '../remote/status-error.js';
import { Http2Endpoint, begin, framed } from './harness/http2-endpoint.js';

const WHERE = { address: 'a:1', model: 'm' };
const CALL = { message: Buffer.of(1), timeoutMs: Infinity };
const toClose: (() => void)[] = [];

afterEach(() => toClose.splice(0).forEach((close) => close()));

async function connected(
  answer: (stream: ServerHttp2Stream, path: string) => void,
): Promise<{ endpoint: Http2Endpoint; connection: GrpcConnection }> {
  const endpoint = await Http2Endpoint.start(answer);
  const connection = new GrpcConnection(endpoint.address, channelCredentials(undefined), '');
  toClose.push(
    () => connection.close(),
    () => endpoint.stop(),
  );
  return { endpoint, connection };
}

/** What a stream has said: sizes of messages, and at last a code of errors, or 'ok'. */
class Heard {
  readonly sizes: number[] = [];
  readonly #end: Promise<CallStatus>;
  readonly stream: OpenStream;

  constructor(connection: GrpcConnection, path = '/stream') {
    let ended: (status: CallStatus) => void;
    this.#end = new Promise((resolve) => (ended = resolve));
    this.stream = connection.stream(
      { ...CALL, path },
      {
        message: ({ length }) => void this.sizes.push(length),
        ended: (status) => ended(status),
      },
    );
  }

  async outcome(): Promise<string> {
    const status = await this.#end;
    return status.code === 0 ? 'ok' : endpointError(status, WHERE).code;
  }
}

function unary(connection: GrpcConnection): Promise<string> {
  return new Promise((resolve) => {
    connection.unary(
      { ...CALL, path: '/unary' },
      {
        answered: ({ length }) => resolve(`answered ${length}`),
        failed: (status) => resolve(endpointError(status, WHERE).code),
      },
    );
  });
}

/** Messages of 1, 2, … bytes. */
function send(stream: ServerHttp2Stream, ...sizes: readonly number[]): void {
  for (const size of sizes) stream.write(framed(Buffer.alloc(size)));
}

describe('a connection to an endpoint', () => {
  it('gives all messages and then the end, however late they are read', async () => {
    const { connection } = await connected((stream) => {
      begin(stream);
      send(stream, 1, 2, 3, 4);
      stream.end();
    });

    const heard = new Heard(connection);
    heard.stream.pause();
    await vi.waitFor(() => expect(heard.sizes).toEqual([1]));
    heard.stream.resume();

    expect(await heard.outcome()).toBe('ok');
    expect(heard.sizes).toEqual([1, 2, 3, 4]);
  });

  it('lets nothing wait behind a stream that is not read, and the endpoint send no more', async () => {
    const chunk = 4_096;
    let written = 0;
    const { connection } = await connected((stream, path) => {
      begin(stream);
      if (path === '/unary') {
        send(stream, 9);
        stream.end();
        return;
      }
      const more = (): void => {
        let hasRoom = !stream.destroyed;
        for (; hasRoom; written += chunk) hasRoom = stream.write(framed(Buffer.alloc(chunk)));
      };
      stream.on('drain', more);
      more();
    });
    const heard = Array.from({ length: 20 }, () => new Heard(connection));
    for (const { stream } of heard) stream.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const last = before;
        before = written;
        expect([before > 0, before]).toEqual([true, last]);
      },
      { interval: 300, timeout: 10_000 },
    );

    expect(written).toBeLessThan(heard.length * 2 ** 18);
    expect(await unary(connection)).toBe('answered 9');

    heard[0]!.stream.resume();
    await vi.waitFor(() => expect(heard[0]!.sizes.length).toBeGreaterThan(100), 10_000);
    for (const { stream } of heard) stream.cancel();
    expect(await heard[1]!.outcome()).toBe('BACKEND_LOST');
  });

  it('outlives a GOAWAY: what is under way ends well, what comes next has a connection of its own', async () => {
    const under: ServerHttp2Stream[] = [];
    const { endpoint, connection } = await connected((stream, path) => {
      begin(stream);
      send(stream, 1);
      if (path === '/unary') stream.end();
      else under.push(stream);
    });
    const heard = new Heard(connection);
    await vi.waitFor(() => expect(heard.sizes).toEqual([1]));

    endpoint.sessions[0]!.goaway();
    await vi.waitFor(() => expect(connection.state).not.toBe('ready'));
    expect(await unary(connection)).toBe('answered 1');
    send(under[0]!, 2);
    under[0]!.end();

    expect(await heard.outcome()).toBe('ok');
    expect([heard.sizes, endpoint.sessions.length]).toEqual([[1, 2], 2]);
  });

  it('lets what is under way come to its end when it is closed', async () => {
    const under: ServerHttp2Stream[] = [];
    const { connection } = await connected((stream) => {
      begin(stream);
      send(stream, 1);
      under.push(stream);
    });
    const heard = new Heard(connection);
    await vi.waitFor(() => expect(heard.sizes).toEqual([1]));

    connection.close();
    send(under[0]!, 2);
    under[0]!.end();

    expect(await heard.outcome()).toBe('ok');
    expect(heard.sizes).toEqual([1, 2]);
  });

  it.each<[string, (stream: ServerHttp2Stream, endpoint: Http2Endpoint) => void]>([
    ['that loses it', (_stream, { sessions }) => sessions[0]!.destroy()],
    ['that resets the stream', (stream) => stream.close(2)],
    ['that ends the stream without a status', (stream) => stream.close(0)],
  ])(
    'knows an endpoint %s in mid-stream, and who has not read when he does',
    async (_what, breakIt) => {
      const under: ServerHttp2Stream[] = [];
      const { endpoint, connection } = await connected((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        send(stream, 1, 2);
        under.push(stream);
      });
      const [heard, held] = [new Heard(connection), new Heard(connection)];
      held.stream.pause();
      await vi.waitFor(() => expect([heard.sizes, held.sizes]).toEqual([[1, 2], [1]]));

      for (const stream of under) breakIt(stream, endpoint);

      expect(await heard.outcome()).toBe('BACKEND_LOST');
      held.stream.resume();
      expect(await held.outcome()).toBe('BACKEND_LOST');
    },
  );

  it.each<[string, string, (stream: ServerHttp2Stream) => void]>([
    ['says nothing', 'BACKEND_FAILED', (stream) => (begin(stream), stream.end())],
    [
      'answers twice',
      'BACKEND_FAILED',
      (stream) => (begin(stream), send(stream, 1, 1), stream.end()),
    ],
    [
      'is a web page',
      'BACKEND_LOST',
      (stream) => (stream.respond({ ':status': 503 }), stream.end('<html>later')),
    ],
    [
      'ends in the middle of a message',
      'BACKEND_FAILED',
      (stream) => (begin(stream), stream.end(framed(Buffer.alloc(9)).subarray(0, 8))),
    ],
  ])('takes no answer that %s for one', async (_what, code, answer) => {
    const { connection } = await connected(answer);

    expect(await unary(connection)).toBe(code);
  });
});
