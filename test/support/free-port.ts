/** Ports for programs that cannot be told to take any free one. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const given = new Set<number>();

/** A port that no connection gets by chance: below those that Linux gives out (ip_local_port_range). */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await canBind(port)) return port;
  }
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
