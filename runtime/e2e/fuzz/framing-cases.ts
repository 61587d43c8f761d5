// Calls whose message is right, but not what gRPC puts around it: frames, encodings, headers, ends. Where gRPC itself asks for
// INTERNAL, such as for data that cannot be decompressed, it is allowed with exactly that text.

import { status } from '@grpc/grpc-js';
import { deflateSync, gzipSync } from 'node:zlib';
import { differsFrom } from './answer-check.js';
import { goodRequest, RECIPES } from './good-request.js';
import type { Http2Request } from './http2-exchange.js';
import { wireOf } from './infer-draft.js';
import { INFERENCE } from './other-calls.js';
import type { Random } from './random.js';
import { ANSWERED, INFER, REFUSED, UNIMPLEMENTED, type Rules } from './rules.js';
import { encodeItems } from './wire-field.js';

export interface FramingCase {
  readonly kind: string;
  /** How often compared with the others; 1 if missing. */
  readonly weight?: number;
  readonly make: (random: Random) => { readonly request: Http2Request; readonly rules: Rules };
}

const PATH = `${INFERENCE}ModelInfer`;

/** The largest message that is sent, and what it is when compressed. */
const ZEROS = 64 * 1024 * 1024;
let bomb: Buffer | undefined;

const NOT_DECOMPRESSED: Rules = {
  statuses: { [status.INTERNAL]: /^Failed to decompress message$/ },
};
/** grpc-js understands more than the protocol has. */
const BAD_TIMEOUT: Rules = {
  statuses: {
    [status.OK]: /^/,
    [status.INTERNAL]: /^Invalid grpc-timeout value/,
    [status.DEADLINE_EXCEEDED]: /^Deadline exceeded/,
  },
};
const LATE: Rules = {
  statuses: { ...INFER.statuses, [status.DEADLINE_EXCEEDED]: /^Deadline exceeded/ },
};
const LEFT: Rules = { statuses: { ...INFER.statuses, [status.CANCELLED]: /^/ }, mayClose: true };
const NO_GRPC: Rules = { statuses: {}, http: 415 };

export const FRAMING_CASES: readonly FramingCase[] = [
  answered('byte by byte', (framed) => ({ chunks: Array.from(framed, (byte) => Buffer.of(byte)) })),
  answered('gzip', (_framed, message) => compressed('gzip', gzipSync(message))),
  answered('deflate', (_framed, message) => compressed('deflate', deflateSync(message))),
  answered('an encoding that is not used', (framed) => ({
    headers: { 'grpc-encoding': 'gzip' },
    chunks: [framed],
  })),
  answered('odd headers', (framed, _message, random) => ({
    headers: oddHeaders(random),
    chunks: [framed],
  })),
  broken('broken compression', NOT_DECOMPRESSED, brokenCompression),
  broken('an unknown encoding', UNIMPLEMENTED, ({ message }, random) =>
    compressed(random.pick(['br', 'zstd', 'GZIP', 'gzip, gzip', 'x'.repeat(3000)]), message),
  ),
  broken('compressed, it does not say how', INFER, ({ message }) => ({
    chunks: [frame(message, 1)],
  })),
  broken('odd compression flags', LEFT, ({ message }, random) => ({
    headers: { 'grpc-encoding': random.pick(['gzip', 'identity']) },
    chunks: [frame(message, random.between(2, 255))],
  })),
  broken('a frame longer than what comes', UNIMPLEMENTED, longFrame),
  broken('half a frame header', UNIMPLEMENTED, ({ framed }, random) => ({
    chunks: [framed.subarray(0, random.between(1, 4))],
  })),
  broken('several messages', UNIMPLEMENTED, ({ framed }, random) => ({
    chunks: Array<Buffer>(random.between(2, 5)).fill(framed),
  })),
  broken('no message', UNIMPLEMENTED, () => ({ chunks: [] })),
  broken('an empty message', REFUSED, () => ({ chunks: [frame(Buffer.alloc(0))] })),
  broken('bad timeouts', BAD_TIMEOUT, ({ framed }, random) => ({
    headers: {
      'grpc-timeout': random.pick(['', '1', 'S', '1s', '-1S', '1.5S', '123456789S', ' ']),
    },
    chunks: [framed],
  })),
  broken('tiny and huge timeouts', LATE, ({ framed }, random) => ({
    headers: { 'grpc-timeout': random.pick(['0n', '1n', '1u', '1m', '99999999H', '00000001m']) },
    chunks: [framed],
  })),
  broken('another content type', NO_GRPC, ({ framed }, random) => ({
    headers: {
      'content-type': random.pick([
        undefined,
        '',
        'text/plain',
        'application/json',
        'Application/gRPC',
      ]),
    },
    chunks: [framed],
  })),
  broken('the caller leaves at once', LEFT, ({ framed }, random) => ({
    chunks: [framed.subarray(0, random.below(framed.length + 1))],
    leaves: random.pick(['at once', 'by reset'] as const),
  })),
  broken('the caller leaves in the middle', LEFT, ({ framed }, random) => ({
    chunks: [framed.subarray(0, random.below(framed.length))],
    leaves: 'without half-close',
  })),
  { ...broken('64 MiB of zeros, compressed', REFUSED, zeros), weight: 0.01 },
];

/** A message as gRPC sends it: whether it is compressed, its length, itself. */
export function frame(message: Buffer, flag = 0): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

// ---- details below; callers need not read ----

type Parts = Omit<Http2Request, 'path'>;

function compressed(encoding: string, message: Buffer): Parts {
  return { headers: { 'grpc-encoding': encoding }, chunks: [frame(message, 1)] };
}

/** Unusual, but right: the answer must be, too. */
function answered(
  kind: string,
  parts: (framed: Buffer, message: Buffer, random: Random) => Parts,
): FramingCase {
  const make: FramingCase['make'] = (random) => {
    const { draft, answer } = goodRequest(random.pick(RECIPES), random);
    const message = encodeItems(wireOf(draft));
    const rules = { ...ANSWERED, checkAnswer: differsFrom(answer, '') };
    return { request: { path: PATH, ...parts(frame(message), message, random) }, rules };
  };
  return { kind: `framing: ${kind}`, make };
}

function broken(
  kind: string,
  rules: Rules,
  parts: (good: { readonly framed: Buffer; readonly message: Buffer }, random: Random) => Parts,
): FramingCase {
  const make: FramingCase['make'] = (random) => {
    const message = encodeItems(wireOf(goodRequest(random.pick(RECIPES), random).draft));
    const request = { path: PATH, ...parts({ framed: frame(message), message }, random) };
    return { request, rules };
  };
  return { kind: `framing: ${kind}`, make };
}

/** Not the format at all, cut off, or changed inside. */
function brokenCompression({ message }: { readonly message: Buffer }, random: Random): Parts {
  const right = gzipSync(message);
  const changed = Buffer.from(right);
  changed[random.between(10, right.length - 1)]! ^= 0xff;
  const wrong = [message, right.subarray(0, random.below(right.length)), changed];
  return compressed(random.pick(['gzip', 'gzip', 'deflate']), random.pick(wrong));
}

function longFrame({ framed }: { readonly framed: Buffer }, random: Random): Parts {
  const longer = Buffer.from(framed);
  const length = framed.length - 5;
  const announced = random.pick([length + 1, length + 100_000, 0x7fffffff, 0x80000000, 0xffffffff]);
  longer.writeUInt32BE(announced, 1);
  return { chunks: [longer] };
}

function oddHeaders(random: Random): Record<string, string | string[]> {
  return random.pick<Record<string, string | string[]>>([
    { 'trace-bin': '!not base64!' },
    { 'trace-bin': ['AAAA', '=', 'AA,AA'] },
    { 'user-agent': 'x'.repeat(10_000) },
    { 'x-empty': '' },
    { 'x-latin': 'caf\u00e9' },
    { 'grpc-accept-encoding': 'nothing,known' },
    { 'grpc-timeout': '1H', 'x-many': Array<string>(50).fill('value') },
    { 'content-type': 'application/grpc+proto;charset=utf-8' },
    { 'grpc-status': '0', 'grpc-message': 'from the caller' },
  ]);
}

function zeros(): Parts {
  bomb ??= gzipSync(Buffer.alloc(ZEROS));
  return compressed('gzip', bomb);
}
