// A replica that stalls now and then, in a process of its own: passes every call on to a server and holds some answers back. Run as:
// stalling-proxy.js TARGET_PORT SHARE STALL_MS

import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';

const [port, share, stallMs] = process.argv.slice(2).map(Number) as [number, number, number];
const PATH = '/inference.GRPCInferenceService/ModelInfer';
const same = (bytes: Buffer): Buffer => bytes;
const target = new Client(`127.0.0.1:${port}`, credentials.createInsecure());

const server = new Server({ 'grpc.max_receive_message_length': -1 });
server.addService(
  {
    infer: {
      path: PATH,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    infer: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
      void pass(call, done),
  },
);

async function pass(
  { request }: ServerUnaryCall<Buffer, Buffer>,
  done: sendUnaryData<Buffer>,
): Promise<void> {
  const isHeld = Math.random() < share;
  const [error, answer] = await ask(request);
  if (isHeld) await sleep(stallMs);
  if (error) done(error);
  else done(null, answer);
}

function ask(request: Buffer): Promise<[ServiceError | null, Buffer | undefined]> {
  return new Promise((resolve) => {
    target.makeUnaryRequest(PATH, same, same, request, new Metadata(), (error, answer) =>
      resolve([error, answer]),
    );
  });
}

server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
  if (error) throw error;
  process.stdout.write(`Started GRPCInferenceService at 127.0.0.1:${bound}\n`);
  process.stdout.write('proxy is up with one target\n');
});
