/** What the TCP tests share: locations on loopback, scopes, a peer that follows a script, and a count of sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Location } from '#xfer/location.js';
import type { Sink, Source } from '#xfer/transport.js';
import { type TcpAddress, type TcpOptions, transport } from '#xfer/transports/tcp/index.js';
import { withResolvers } from '../../support/with-resolvers.js';

export const HOST = '127.0.0.1';

export const never = { signal: new AbortController().signal };

export function at(port: number): Location {
  return { scheme: 'tcp', host: HOST, port, path: '' };
}

export const listening: Location = { scheme: 'tcp', host: HOST, port: 0, path: '', listen: true };

export async function openSource(location: Location, options: TcpOptions = {}, scope = never): Promise<Source> {
  assert.ok(transport.openSource);
  return transport.openSource(location, options, scope);
}

export async function openSink(location: Location, options: TcpOptions = {}, scope = never): Promise<Sink> {
  assert.ok(transport.openSink);
  return transport.openSink(location, options, scope);
}

/** Options that tell the port of a listening end, and the promise of that port. */
export function portOf(options: TcpOptions = {}): { options: TcpOptions; port: Promise<number> } {
  const { promise, resolve } = withResolvers<number>();
  return { options: { ...options, onListening: (address: TcpAddress) => resolve(address.port) }, port: promise };
}

export async function serve(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, onSocket);
  server.listen(0, HOST);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** A socket that a test's own end holds, once the code under test has connected to it; the server is closed then. */
export async function acceptPeer(): Promise<{ port: number; socket: Promise<Socket> }> {
  const { promise, resolve } = withResolvers<Socket>();
  const { server, port } = await serve((socket) => {
    server.close();
    socket.on('error', () => {});
    resolve(socket);
  });
  return { port, socket: promise };
}

/** Resolves once a socket is closed, in order or by a reset. */
export async function gone(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

export async function connectPeer(port: number): Promise<Socket> {
  const socket = connect({ host: HOST, port, allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** What a socket receives up to the other end's FIN. Unlike an iteration it leaves the socket half-open. */
export async function allOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

function openTcp(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

/** Fails where a socket or a server is still open some turns of the event loop after a test. */
export async function assertNoSockets(): Promise<void> {
  for (let turns = 0; turns < 2000 && openTcp() > 0; turns += 1) await turn();
  assert.equal(openTcp(), 0, 'sockets are left open');
}
