/** Takes connections on a port or a unix socket, from those who may make them. */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { systemCode, toXferError, XferError } from '../../errors.js';
import { checkSocketPath, removeStaleSocket } from '../../files/socket-file.js';
import { AllowedAddresses } from '../../listening/allowed-addresses.js';
import { plainAddress } from '../../listening/client-address.js';
import { checkTcpOptions } from './check-options.js';
import { checkFamily } from './family.js';
import type { TcpAddress, TcpOptions } from './options.js';
import { Wire } from './wire.js';

/** Of those who are turned away, so many are told of: the rest may be a flood. */
const MOST_TOLD = 10;

/** Takes a connection, paused: by making a wire of it, or as the socket that it is. */
export type TakeConnection = (peer: TcpAddress, makeWire: () => Wire, socket: Socket) => void;

/**
 * Starts to listen. Nothing is read from a connection until its wire is started. EXISTS where the port or the name of the
 * socket is taken, DENIED where it may not be used, UNREACHABLE for an address that is not of this machine, USAGE for one
 * of the wrong family, and as `checkTcpOptions`, UNSAFE_PATH for a socket's path that is too long.
 */
export async function startListening(
  address: TcpAddress,
  label: string,
  options: TcpOptions,
  take: TakeConnection,
): Promise<Server> {
  checkTcpOptions(options);
  const mayConnect = whoMayConnect(options);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    const peer = peerOf(socket, address);
    if (!mayConnect(socket, peer)) socket.resetAndDestroy();
    else take(peer, () => Wire.accepted(label, socket, peer.path !== undefined), socket);
  });
  await listenAt(server, address, label, options);
  // What a connection that is gone before it is accepted leaves is no fault of the listener.
  server.on('error', (error) => options.onNotice?.(toXferError(error, `listen ${label}`).message));
  options.onListening?.(boundAddress(server, address));
  return server;
}

function whoMayConnect({ allow, onNotice }: TcpOptions): (socket: Socket, peer: TcpAddress) => boolean {
  if (allow === undefined) return () => true;
  const allowed = new AllowedAddresses(allow);
  let told = 0;
  return (socket, peer) => {
    if (allowed.allows(socket.remoteAddress)) return true;
    told += 1;
    if (told <= MOST_TOLD)
      onNotice?.(`turned away ${peer.host || 'one that is gone'}: not among the allowed addresses`);
    if (told === MOST_TOLD) onNotice?.('others that are turned away are not told of');
    return false;
  };
}

function peerOf(socket: Socket, { path }: TcpAddress): TcpAddress {
  if (path !== undefined) return { host: '', port: 0, path };
  return { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
}

function boundAddress(server: Server, asked: TcpAddress): TcpAddress {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? asked : { host: bound.address, port: bound.port };
}

async function listenAt(server: Server, address: TcpAddress, label: string, options: TcpOptions): Promise<void> {
  const { path } = address;
  try {
    if (path === undefined) await listenOnce(server, await portOptions(address, options));
    else {
      checkSocketPath(path);
      await listenOnce(server, { path }).catch(async (error: unknown) => {
        if (systemCode(error) !== 'EADDRINUSE' || !(await removeStaleSocket(path))) throw error;
        await listenOnce(server, { path });
      });
    }
  } catch (error) {
    throw listenError(error, address, label);
  }
}

/** Without a host Node binds `::` for both families, and `0.0.0.0` where there is no IPv6. */
async function portOptions({ host, port }: TcpAddress, options: TcpOptions): Promise<ListenOptions> {
  const family = options.family ?? 0;
  const common = { port, exclusive: true, ipv6Only: family === 6 };
  if (host === '') return family === 0 ? common : { ...common, host: family === 6 ? '::' : '0.0.0.0' };
  checkFamily(host, family);
  const { lookup } = await import('node:dns/promises');
  return { ...common, host: (await lookup(host, { family })).address };
}

function listenOnce(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function listenHint(code: string | undefined, port: number): string {
  if (code === 'EACCES' && port < 1024) return 'ports below 1024 need root; take one above';
  if (code === 'EADDRINUSE' || code === 'EACCES') return 'name another port, or stop its owner';
  return 'name an address of this machine, or the port alone';
}

function listenError(error: unknown, { port, path }: TcpAddress, label: string): XferError {
  const code = systemCode(error);
  if (path !== undefined) {
    if (code !== 'EADDRINUSE') return toXferError(error, `listen ${label}`);
    const hint = 'end that program, remove what is left, or take another path';
    return new XferError('EXISTS', `listen ${label}: something has that name already`, { hint, cause: error });
  }
  return toXferError(error, `listen ${label}`, { hint: listenHint(code, port) });
}
