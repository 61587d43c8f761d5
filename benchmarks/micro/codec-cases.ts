// ModelInfer's codec: requests of 32 and of 150,528 floats, the response of a single number.

import {
  completeInferRequest,
  readInferRequest,
} from '../../runtime/frontend/infer-request-decoder.js';
import { encodeInferResponse } from '../../runtime/frontend/infer-response-encoder.js';
import { aTensor } from '../../runtime/testing/build.js';
import { inferMessage } from '../works/infer-message.js';
import { WORKS, type Work } from '../works/work.js';
import type { MicroCase } from './micro-case.js';

export function codecCases(): MicroCase[] {
  const small = inferMessage(work('tiny'));
  const large = inferMessage(work('big'));
  const response = { modelName: 'tiny', modelVersion: '1', outputs: [aTensor('y', [1, 1], [0.5])] };
  return [
    { name: 'decode a request of 128 bytes', operations: 1, run: () => decode(small) },
    { name: 'decode a request of 600 kB', operations: 1, run: () => decode(large) },
    {
      name: 'encode a response of 4 bytes',
      operations: 1,
      run: () => encodeInferResponse(response, ''),
    },
  ];
}

function work(name: string): Work {
  return WORKS.find((it) => it.name === name)!;
}

function decode(message: Buffer): void {
  completeInferRequest(readInferRequest(message));
}
