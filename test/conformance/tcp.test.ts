/** Raw TCP against plain sockets, which are what nc is. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Location } from '#xfer/location.js';
import type { Sink } from '#xfer/transport.js';
import { type TcpAddress, type TcpOptions, transport } from '#xfer/transports/tcp/index.js';
import { conformance } from './conformance.js';
import { freeScope, type SinkRig, type SourceRig } from './rig.js';

const HOST = '127.0.0.1';

const source: SourceRig = {
  supports: { tree: false, names: 'none', size: false },
  capabilities: { ranges: false, replay: false, parallel: false, metadata: false },
  async open(files) {
    if (!transport.openSource) throw new Error('the transport has no source');
    let sender: Socket | undefined;
    const options: TcpOptions = {
      onListening({ port }: TcpAddress) {
        sender = connect(port, HOST);
        // A reader that leaves early resets what is still on its way.
        sender.on('error', () => {}).end(files[0]?.bytes ?? Buffer.alloc(0));
      },
    };
    const location: Location = { scheme: 'tcp', host: HOST, port: 0, path: '', listen: true };
    const opened = await transport.openSource(location, options, freeScope());
    return {
      source: opened,
      async close() {
        await opened.close();
        if (sender && !sender.closed) await once(sender.destroy(), 'close');
      },
    };
  },
};

const sink: SinkRig = {
  supports: { tree: false, names: 'none' },
  capabilities: { offsets: false, atomic: false, resume: false, parallel: false, metadata: false, once: true },
  async open() {
    const receiver = await startReceiver();
    const sinks: Sink[] = [];
    const reopen = async () => {
      if (!transport.openSink) throw new Error('the transport has no sink');
      const location: Location = { scheme: 'tcp', host: HOST, port: receiver.port, path: '' };
      const opened = await transport.openSink(location, {}, freeScope());
      sinks.push(opened);
      return opened;
    };
    return {
      sink: await reopen(),
      reopen,
      list: async () => [],
      read: async () => receiver.bytes(),
      async close() {
        for (const opened of sinks) await opened.close();
        await receiver.stop();
      },
    };
  },
};

interface Receiver {
  readonly port: number;
  /** What the latest connection brought. */
  bytes(): Buffer;
  stop(): Promise<void>;
}

async function startReceiver(): Promise<Receiver> {
  let chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    chunks = [];
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A sender that gives up resets.
    socket.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => Buffer.concat(chunks),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

conformance('tcp', { source, sink });
