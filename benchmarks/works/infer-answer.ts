// The first request of a work: whether it is answered at all, and how long the answer is, which the echo's shall be, too.

import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { INFER_PATH } from '../load/load.js';

/** Bytes of the answer. @throws ServiceError when it is an error */
export async function answerBytes(port: number, message: Buffer): Promise<number> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.max_receive_message_length': -1,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  try {
    return await new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Buffer): void =>
        error ? reject(error) : resolve(answer!.length);
      client.makeUnaryRequest(INFER_PATH, same, same, message, done);
    });
  } finally {
    client.close();
  }
}
