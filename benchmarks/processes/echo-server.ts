// The measure of all things here: a bare grpc-js server that answers ModelInfer with the same bytes every time and looks into
// nothing. What a server on grpc-js costs beyond this is its own doing. Run as: echo-server.js REPLY_BYTES

import { Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;
const reply = Buffer.alloc(Number(process.argv[2]), 1);

const server = new Server({ 'grpc.max_receive_message_length': -1 });
server.addService(
  {
    infer: {
      path: '/inference.GRPCInferenceService/ModelInfer',
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  { infer: (_call: unknown, done: sendUnaryData<Buffer>) => done(null, reply) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`Started GRPCInferenceService at 127.0.0.1:${port}\n`);
  process.stdout.write('echo is up with no model\n');
});
