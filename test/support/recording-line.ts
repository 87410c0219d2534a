/** A line that remembers what went over it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RecordingLine {
  readonly port: number;
  /** What callers sent, over all connections. */
  up(): Buffer;
  /** What came back. */
  down(): Buffer;
  stop(): Promise<void>;
}

/** To a port of 127.0.0.1. */
export async function startRecordingLine(to: number): Promise<RecordingLine> {
  const ways: [Buffer[], Buffer[]] = [[], []];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true });
    for (const [socket, other, way] of [
      [near, far, ways[0]],
      [far, near, ways[1]],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
      socket.on('data', (bytes: Buffer) => way.push(bytes));
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    up: () => Buffer.concat(ways[0]),
    down: () => Buffer.concat(ways[1]),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
