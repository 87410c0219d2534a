/** Ports for programs that cannot be told to take any free one. */
import { createServer } from 'node:net';

/** Below the ports that Linux gives out (ip_local_port_range), so that no connection gets one by chance. */
const FIRST = 10_000;
const BLOCK = 500;
const BLOCKS = 44;

/**
 * Each test's process has a block of its own, and gives no port twice: some programs cannot listen where a connection was
 * a minute ago.
 */
const block = FIRST + (process.pid % BLOCKS) * BLOCK;
let given = 0;

export async function freePort(): Promise<number> {
  for (;;) {
    if (given === BLOCK) throw new Error('no port is left for the programs of this test');
    const port = block + given;
    given += 1;
    if (await canBind(port)) return port;
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen({ port }, () => server.close(() => resolve(true)));
  });
}
