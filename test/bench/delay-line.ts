/** A TCP relay that gives loopback the round trip, and the rate, of a long line. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface LineOptions {
  /** Half of it each way; the clock behind it ticks in milliseconds. */
  readonly rttMs: number;
  /** Each way, of all connections together; undefined is no limit. */
  readonly megabitsPerSecond: number | undefined;
  /** What may be under way in one direction of one connection. */
  readonly windowMiB: number;
}

/** A line in words, as in `round trip 50 ms`. */
export function lineWords({ rttMs, megabitsPerSecond }: LineOptions): string {
  const rate = megabitsPerSecond === undefined ? [] : [`${megabitsPerSecond} Mbit/s`];
  return [`round trip ${rttMs} ms`, ...rate].join(', ');
}

export interface DelayLine {
  readonly port: number;
  close(): Promise<void>;
}

/** One way of the line, which all connections share. */
class Direction {
  readonly windowBytes: number;
  readonly #delayMs: number;
  readonly #bytesPerMs: number;
  #freeAtMs = 0;

  constructor({ rttMs, megabitsPerSecond, windowMiB }: LineOptions) {
    this.windowBytes = windowMiB * 2 ** 20;
    this.#delayMs = rttMs / 2;
    this.#bytesPerMs =
      megabitsPerSecond === undefined ? Number.POSITIVE_INFINITY : (megabitsPerSecond * 1e6) / 8 / 1000;
  }

  /** Sends so many bytes after all that was sent before, and says when the last of them arrives. */
  arrivalMs(bytes: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + bytes / this.#bytesPerMs;
    return this.#freeAtMs + this.#delayMs;
  }
}

interface Parcel {
  /** Undefined is the end. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

/** Passes on what is read from `from`, in order, when it has arrived. */
function carry(from: Socket, to: Socket, direction: Direction): void {
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
    if (heldBytes < direction.windowBytes) from.resume();
    schedule();
  };
  const schedule = () => {
    if (timer || blocked || !line[0]) return;
    timer = setTimeout(deliver, Math.max(0, line[0].dueMs - performance.now()));
  };
  const send = (bytes: Buffer | undefined) => {
    line.push({ bytes, dueMs: direction.arrivalMs(bytes?.length ?? 0) });
    heldBytes += bytes?.length ?? 0;
    if (heldBytes >= direction.windowBytes) from.pause();
    schedule();
  };

  from.on('data', send);
  from.on('end', () => send(undefined));
  to.on('drain', () => {
    blocked = false;
    schedule();
  });
  // What is on the line when `from` closes still arrives.
  to.on('close', () => clearTimeout(timer));
}

/** Listens on loopback and passes connections on to `port`. */
export async function startDelayLine(port: number, options: LineOptions): Promise<DelayLine> {
  const open = new Set<Socket>();
  const [up, down] = [new Direction(options), new Direction(options)];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [socket, other, direction] of [
      [near, far, up],
      [far, near, down],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => open.delete(socket));
      carry(socket, other, direction);
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
