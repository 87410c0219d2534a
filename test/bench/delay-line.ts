/** A TCP relay that gives loopback the round trip of a long line. Bandwidth is not limited. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface DelayLine {
  readonly port: number;
  close(): Promise<void>;
}

/** What may be under way in one direction, in bytes: 256 MiB/s at a round trip of half a second. */
const LINE_HOLDS_BYTES = 64 * 1024 * 1024;

interface Parcel {
  /** Undefined is the end. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

/** Passes on what is read from `from`, in order, `delayMs` after it came. */
function carry(from: Socket, to: Socket, delayMs: number): void {
  const line: Parcel[] = [];
  let heldBytes = 0;
  let blocked = false;
  let timer: NodeJS.Timeout | undefined;

  const deliver = () => {
    timer = undefined;
    while (!blocked && line[0] && line[0].dueMs <= performance.now()) {
      const { bytes } = line.shift() as Parcel;
      if (!bytes) return void to.end();
      heldBytes -= bytes.length;
      blocked = !to.write(bytes);
    }
    if (heldBytes < LINE_HOLDS_BYTES) from.resume();
    schedule();
  };
  const schedule = () => {
    if (timer || blocked || !line[0]) return;
    timer = setTimeout(deliver, Math.max(0, line[0].dueMs - performance.now()));
  };
  const send = (bytes: Buffer | undefined) => {
    line.push({ bytes, dueMs: performance.now() + delayMs });
    heldBytes += bytes?.length ?? 0;
    if (heldBytes >= LINE_HOLDS_BYTES) from.pause();
    schedule();
  };

  from.on('data', send);
  from.on('end', () => send(undefined));
  to.on('drain', () => {
    blocked = false;
    schedule();
  });
  for (const socket of [from, to]) socket.on('close', () => clearTimeout(timer));
}

/** Listens on loopback and passes connections on to `port`; each way takes half of `rttMs`. */
export async function startDelayLine(port: number, rttMs: number): Promise<DelayLine> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => open.delete(socket));
      carry(socket, other, rttMs / 2);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
