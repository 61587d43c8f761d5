// Connections to the gRPC port that speak no HTTP/2, or speak it wrongly. Whoever sends that gets no status; the others, whose
// connections are their own, must not notice.

import type { Random } from './random.js';

export interface ConnectionCase {
  readonly kind: string;
  readonly make: (random: Random) => Buffer;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE] = [0, 1, 4, 6, 7, 8];

export const CONNECTION_CASES: readonly ConnectionCase[] = [
  { kind: 'connection: no HTTP/2', make: noHttp2 },
  {
    kind: 'connection: half a preface',
    make: (random) => PREFACE.subarray(0, random.below(PREFACE.length)),
  },
  { kind: 'connection: random frames', make: randomFrames },
  { kind: 'connection: frames that are forbidden', make: forbiddenFrames },
];

// ---- details below; callers need not read ----

function noHttp2(random: Random): Buffer {
  const texts = [
    'GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n',
    '\r\n\r\n',
    'x'.repeat(100_000),
  ];
  return random.chance(0.4) ? random.bytes(random.below(500)) : Buffer.from(random.pick(texts));
}

/** https://www.rfc-editor.org/rfc/rfc9113#name-frame-format */
function frame(type: number, payload: Buffer, { flags = 0, stream = 0 } = {}): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([header, payload]);
}

function opened(...frames: Buffer[]): Buffer {
  return Buffer.concat([PREFACE, frame(SETTINGS, Buffer.alloc(0)), ...frames]);
}

function randomFrames(random: Random): Buffer {
  const frames = Array.from({ length: random.between(1, 10) }, () =>
    frame(random.below(12), random.bytes(random.below(40)), {
      flags: random.below(256),
      stream: random.pick([0, 1, 2, 3, 2 ** 31 - 1, 2 ** 32 - 1]),
    }),
  );
  return opened(...frames);
}

function forbiddenFrames(random: Random): Buffer {
  const headersWithoutMeaning = frame(HEADERS, random.bytes(30), { flags: 4, stream: 1 });
  const tooLong = frame(PING, Buffer.alloc(8));
  tooLong.writeUIntBE(0xffffff, 0, 3);
  return random.pick([
    opened(frame(DATA, Buffer.alloc(5), { stream: 1 })),
    opened(frame(DATA, Buffer.alloc(5))),
    opened(frame(WINDOW_UPDATE, Buffer.alloc(4))),
    opened(
      frame(WINDOW_UPDATE, Buffer.alloc(4, 0xff)),
      frame(WINDOW_UPDATE, Buffer.alloc(4, 0xff)),
    ),
    opened(frame(SETTINGS, Buffer.alloc(5))),
    opened(frame(PING, Buffer.alloc(3))),
    opened(frame(GOAWAY, Buffer.alloc(2))),
    opened(headersWithoutMeaning),
    opened(tooLong),
  ]);
}
