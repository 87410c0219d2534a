/** A TCP proxy in this process that fails on purpose, at an exact byte of what the far end sends. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Readable, Transform } from 'node:stream';

export interface FaultyProxyOptions {
  readonly to: { readonly host: string; readonly port: number };
  /** Which way is counted and broken: what comes from the far end (the default), or what goes to it. */
  readonly way?: 'down' | 'up';
  /** Ends both connections tidily once so many bytes passed. */
  readonly cutAfterBytes?: number;
  /** Passes no byte more, and keeps both connections open. */
  readonly stallAfterBytes?: number;
  /** Resets both connections. */
  readonly resetAfterBytes?: number;
  /** Turns over every bit of the byte at this position. */
  readonly flipByteAt?: number;
  /** A long line: what passes whole is so late, each way. */
  readonly delayMs?: number;
  /** How many connections are broken, the first ones; those after pass whole. Every one where absent. */
  readonly times?: number;
  /** How many connections pass whole before those. */
  readonly after?: number;
}

export interface FaultyProxy {
  readonly host: string;
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** Bytes passed in the broken direction so far, over all connections. */
  readonly bytes: number;
  /** Resets the connections there are; those after pass. */
  cut(): void;
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 until `stop`. */
export async function startFaultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

class RunningProxy implements FaultyProxy {
  readonly host = '127.0.0.1';
  connections = 0;
  bytes = 0;
  readonly #options: FaultyProxyOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near));

  constructor(options: FaultyProxyOptions) {
    this.#options = options;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.host);
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #accept(near: Socket): void {
    this.connections += 1;
    const far = connect({ ...this.#options.to, allowHalfOpen: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      // A fault that one end meets is what the other end is there to feel.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!socket.readableEnded) other.destroy();
      });
    }
    const { after = 0, times = Number.POSITIVE_INFINITY } = this.#options;
    const isBroken = this.connections > after && this.connections <= after + times;
    const [from, to] = this.#options.way === 'up' ? [near, far] : [far, near];
    this.#late(to).pipe(from);
    if (isBroken) this.#passFaulty(from, to);
    else this.#pass(from, to);
  }

  #late(from: Socket): Readable {
    const { delayMs } = this.#options;
    if (delayMs === undefined) return from;
    const line = new Transform({
      transform(chunk, _, done) {
        setTimeout(() => this.push(chunk), delayMs);
        done();
      },
      flush: (done) => void setTimeout(done, delayMs),
    });
    return from.pipe(line);
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
    });
    this.#late(from).pipe(to);
  }

  #passFaulty(from: Socket, to: Socket): void {
    const { cutAfterBytes, stallAfterBytes, resetAfterBytes, flipByteAt } = this.#options;
    const stopAt = Math.min(...[cutAfterBytes, stallAfterBytes, resetAfterBytes].map((at) => at ?? Number.MAX_VALUE));
    let passed = 0;
    const fail = () => {
      from.pause();
      if (stopAt === stallAfterBytes) return;
      if (stopAt === resetAfterBytes) return void [from, to].map((socket) => socket.resetAndDestroy());
      to.end(() => to.destroy());
      from.destroy();
    };
    const take = (chunk: Buffer) => {
      const bytes = flipped(chunk, flipByteAt === undefined ? -1 : flipByteAt - passed).subarray(0, stopAt - passed);
      passed += bytes.length;
      this.bytes += bytes.length;
      if (passed >= stopAt) from.off('data', take);
      const flowing = bytes.length === 0 || to.write(bytes, () => passed >= stopAt && fail());
      if (passed >= stopAt || flowing) return;
      from.pause();
      to.once('drain', () => from.resume());
    };
    if (stopAt === 0) return void from.once('connect', fail);
    from.on('data', take);
    from.on('end', () => to.end());
  }
}

function flipped(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk;
  const copy = Buffer.from(chunk);
  copy[at] = (copy[at] as number) ^ 0xff;
  return copy;
}
