// A server of grpc-js whose methods the test writes: what inferd does not do yet, or does only when it is broken.

import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';

export interface Methods {
  readonly unary?: Readonly<
    Record<string, (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => void>
  >;
  readonly serverStream?: Readonly<
    Record<string, (call: ServerWritableStream<Buffer, Buffer>) => void>
  >;
  readonly duplex?: Readonly<Record<string, (call: ServerDuplexStream<Buffer, Buffer>) => void>>;
}

export interface SmallServer {
  readonly address: string;
  /** Calls under way are cut off. */
  stop(): void;
}

interface SmallServerOptions {
  readonly port?: number;
  readonly credentials?: ServerCredentials;
}

/** Methods are named by their paths. */
export async function smallServer(
  { unary = {}, serverStream = {}, duplex = {} }: Methods,
  { port = 0, credentials = ServerCredentials.createInsecure() }: SmallServerOptions = {},
): Promise<SmallServer> {
  const server = new Server();
  for (const [path, handler] of Object.entries(unary))
    server.register(path, handler, asIs, asIs, 'unary');
  for (const [path, handler] of Object.entries(serverStream))
    server.register(path, handler, asIs, asIs, 'serverStream');
  for (const [path, handler] of Object.entries(duplex))
    server.register(path, handler, asIs, asIs, 'bidi');
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, got) =>
      error ? reject(error) : resolve(got),
    );
  });
  return { address: `127.0.0.1:${bound}`, stop: () => server.forceShutdown() };
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
