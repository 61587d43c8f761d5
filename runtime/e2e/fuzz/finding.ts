// A request that ended wrongly, as text: all that is needed to send it again.

import type { FuzzCase, Sending } from './fuzz-case.js';

export function describeFinding(
  { number, kind, model, sending }: FuzzCase,
  seed: number,
  fault: string,
): string {
  const about = model === undefined ? '' : ` (model ${model})`;
  return [
    `number ${number}, ${kind}${about}: ${fault}`,
    `  again: FUZZ_SEED=${seed} FUZZ_ONLY=${number} npm run test:fuzz`,
    ...linesOf(sending).map((line) => `  ${line}`),
  ].join('\n');
}

// ---- details below; callers need not read ----

const SHOWN_BYTES = 600;

function linesOf(sending: Sending): string[] {
  switch (sending.by) {
    case 'grpc':
      return [`message to ${sending.path}: ${base64(sending.message)}`];
    case 'http2': {
      const { path, headers, chunks, leaves } = sending;
      const chunksText = `${chunks.length} chunks: ${base64(Buffer.concat(chunks))}`;
      return [`HTTP/2 ${path} ${JSON.stringify(headers ?? {})} ${leaves ?? ''}`, chunksText];
    }
    case 'socket':
      return [`bytes to the port: ${base64(sending.bytes)}`];
  }
}

function base64(bytes: Buffer): string {
  const shown = bytes.subarray(0, SHOWN_BYTES).toString('base64');
  return bytes.length > SHOWN_BYTES ? `${shown}… (${bytes.length} bytes)` : shown;
}
