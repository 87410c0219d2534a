/** Makes the one connection of raw TCP, by connecting or by accepting. */
import { createServer, type Server, type Socket } from 'node:net';
import { plainAddress } from '../../client-address.js';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import type { OpenOptions, Scope } from '../../transport.js';
import { Wire } from './wire.js';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

export interface TcpOptions extends OpenOptions {
  /** How long to wait for a connection to be made; 30,000 where absent. Accepting waits for ever. */
  readonly connectTimeoutMs?: number;
  /** The longest silence of the other end, bytes that it does not take included. Absent: for ever. */
  readonly idleTimeoutMs?: number;
  /** How long a sender waits, after its last byte, for the other end to close; 10,000 where absent. */
  readonly finTimeoutMs?: number;
  /**
   * A receiver closes its own direction after this long without a byte, and receives on. It ends an OpenBSD or
   * traditional nc that was started without -N or -q. Absent: never, since a sender that merely paused may give up.
   */
  readonly finishIdleMs?: number;
  /** Called when a listening end accepts. */
  readonly onListening?: (address: TcpAddress) => void;
  /** Called with the other end's address once there is a connection. */
  readonly onConnection?: (peer: TcpAddress) => void;
}

const CONNECT_TIMEOUT_MS = 30_000;

/**
 * The one connection of a location: to `host:port`, or with `listen` the first that comes to it, after which the port is
 * free again. UNREACHABLE where there is no connection, EXISTS where the port is taken, DENIED where it may not be used.
 */
export async function openWire(location: Location, options: TcpOptions, scope: Scope): Promise<Wire> {
  throwIfAborted(scope.signal);
  const { port } = location;
  const label = describeLocation(location);
  if (port === undefined || (port === 0 && !location.listen)) {
    throw new XferError('USAGE', `connection ${label}: no port`, { hint: 'name it as host:port' });
  }
  if (location.listen) return acceptOne({ ...location, port }, label, options, scope);
  if (!location.host) throw new XferError('USAGE', `connection ${label}: no host`, { hint: 'name it as host:port' });
  return connect({ host: location.host, port }, label, options, scope);
}

function connect(address: TcpAddress, label: string, options: TcpOptions, { signal }: Scope): Promise<Wire> {
  const wire = Wire.unconnected(label, address.port);
  const { socket } = wire;
  const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  let peerHost = address.host;
  return new Promise<Wire>((resolve, reject) => {
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
      if (error !== undefined) {
        socket.destroy();
        reject(error);
        return;
      }
      options.onConnection?.({ host: peerHost, port: address.port });
      resolve(wire);
    };
    const abort = () => settle(signal.reason);
    const fail = (error: Error) => settle(connectError(error, label));
    const timer = setTimeout(() => {
      settle(new XferError('UNREACHABLE', `connect ${label}: no answer within ${timeoutMs / 1000} s`, CONNECT_HINT));
    }, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connectionAttempt', (ip: string) => {
      peerHost = ip;
    });
    socket.once('error', fail);
    socket.connect({ ...address, noDelay: true }, () => settle());
  });
}

const CONNECT_HINT = { hint: 'is the other end listening, and does a firewall between let it through?' };

function connectError(error: Error, label: string): XferError {
  const found = toXferError(error, `connect ${label}`, CONNECT_HINT);
  // A connection that the system gave up on was never made, so nothing "came for too long".
  if (found.code !== 'TIMED_OUT') return found;
  return new XferError('UNREACHABLE', `connect ${label}: no answer`, { ...CONNECT_HINT, cause: error });
}

type ListenLocation = Location & { readonly port: number };

function acceptOne(location: ListenLocation, label: string, options: TcpOptions, { signal }: Scope): Promise<Wire> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  return new Promise<Wire>((resolve, reject) => {
    const stop = () => {
      signal.removeEventListener('abort', abort);
      server.close();
    };
    const abort = () => {
      stop();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    server.once('connection', (socket) => {
      stop();
      server.on('connection', (late: Socket) => late.resetAndDestroy());
      const host = plainAddress(socket.remoteAddress ?? '');
      const wire = Wire.accepted(label, socket);
      options.onConnection?.({ host, port: wire.peerPort });
      resolve(wire);
    });
    server.on('error', (error) => {
      stop();
      reject(listenError(error, location, label));
    });
    // Without a host Node binds `::` for both families, and `0.0.0.0` where there is no IPv6.
    const { host, port } = location;
    server.listen({ port, exclusive: true, ...(host ? { host } : {}) }, () => announce(server, options));
  });
}

function announce(server: Server, options: TcpOptions): void {
  const address = server.address();
  if (address === null || typeof address === 'string') return;
  options.onListening?.({ host: address.address, port: address.port });
}

function listenError(error: Error, { port }: ListenLocation, label: string): XferError {
  const denied = systemCode(error) === 'EACCES';
  const hint =
    denied && port < 1024 ? 'ports below 1024 need root; take one above' : 'name another port, or stop its owner';
  return toXferError(error, `listen ${label}`, { hint });
}
