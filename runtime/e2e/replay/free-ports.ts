// Ports nobody listens on, from below the range that systems give to outgoing connections: none of those can take one meanwhile.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const FIRST = 21_000;
const COUNT = 9_000;

// Two replays on one machine start at different places.
let next = (process.pid * 37) % COUNT;

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > COUNT) throw new Error('no free port');
    next = (next + 1) % COUNT;
    if (await isFree(FIRST + next)) ports.push(FIRST + next);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server: Server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
