// A ModelStreamInfer call whose caller reads nothing until he is told to: HTTP/2 alone, as a client library would read ahead.

import { connect, type ClientHttp2Stream } from 'node:http2';
import { aMessage } from '../../testing/ask-model.js';
import { fp32, inferRequest } from './requests.js';
import type { TestServer } from './test-server.js';

/** One request for a model of FP32 [1] `x`, under way; `resume` reads. */
export function unreadStream({ ports }: TestServer, model: string, x = 1): ClientHttp2Stream {
  const session = connect(`http://127.0.0.1:${ports.grpc!}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelStreamInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.once('close', () => session.destroy());
  const { inputs, raw_input_contents } = inferRequest(model, [fp32('x', [1, 1], [x])]);
  const message = aMessage({ id: 'a', model_name: model, inputs, raw_input_contents });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
  return stream;
}
