/** Makes a connection to one that listens. */
import { isIP, type Socket, type SocketConnectOpts } from 'node:net';
import { withinTimerMs } from '../../concurrency/longest-timer.js';
import { systemCode, throwIfAborted, toXferError, XferError } from '../../errors.js';
import type { Scope } from '../../transport.js';
import { checkTcpOptions } from './check-options.js';
import { checkFamily } from './family.js';
import type { TcpAddress, TcpOptions } from './options.js';
import { Wire } from './wire.js';

const CONNECT_TIMEOUT_MS = 30_000;
const CONNECT_HINT = { hint: 'is the other end listening, and does a firewall between let it through?' };

/** One try. UNREACHABLE where there is no connection in time; USAGE for an address of the wrong family, and as `checkTcpOptions`. */
export async function connect(address: TcpAddress, label: string, options: TcpOptions, scope: Scope): Promise<Wire> {
  const wire = Wire.unconnected(label, address.path === undefined ? address.port : undefined);
  await connectSocket(wire.socket, address, label, options, scope);
  return wire;
}

/** `connect` for a socket that is not connected yet; it is destroyed on failure. */
export function connectSocket(
  socket: Socket,
  address: TcpAddress,
  label: string,
  options: TcpOptions,
  { signal }: Scope,
): Promise<void> {
  throwIfAborted(signal);
  checkTcpOptions(options);
  const where = connectOptions(address, options);
  const timeoutMs = withinTimerMs(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  let peer = address;
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
      if (error !== undefined) {
        socket.destroy();
        reject(error);
        return;
      }
      options.onConnection?.(peer);
      resolve();
    };
    const abort = () => settle(signal.reason);
    const fail = (error: Error) => settle(connectError(error, label, options));
    const timer = setTimeout(() => {
      settle(new XferError('UNREACHABLE', `connect ${label}: no answer within ${timeoutMs / 1000} s`, CONNECT_HINT));
    }, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('connectionAttempt', (ip: string) => {
      peer = { ...address, host: ip };
    });
    socket.once('error', fail);
    socket.connect(where, () => settle());
  });
}

function connectOptions({ host, port, path }: TcpAddress, options: TcpOptions): SocketConnectOpts {
  if (path !== undefined) return { path };
  const { localAddress, localPort } = options;
  const family = options.family ?? (localAddress === undefined ? 0 : isIP(localAddress));
  checkFamily(host, family);
  return {
    host,
    port,
    noDelay: true,
    ...(family === 0 ? {} : { family }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(localPort === undefined ? {} : { localPort }),
  };
}

function connectError(error: Error, label: string, options: TcpOptions): XferError {
  const own = ownEndError(error, label, options);
  if (own) return own;
  const found = toXferError(error, `connect ${label}`, CONNECT_HINT);
  // A connection that the system gave up on was never made, so nothing "came for too long".
  if (found.code === 'TIMED_OUT') {
    return new XferError('UNREACHABLE', `connect ${label}: no answer`, { ...CONNECT_HINT, cause: error });
  }
  // A socket file that is not there yet is as good as a port that nobody listens on.
  if (found.code !== 'NOT_FOUND') return found;
  return new XferError('UNREACHABLE', `connect ${label}: nobody listens there`, { ...CONNECT_HINT, cause: error });
}

/** Of the address or port of this machine that was asked for; undefined where the fault is another. */
function ownEndError(error: Error, label: string, { localAddress, localPort }: TcpOptions): XferError | undefined {
  const code = systemCode(error);
  const from =
    code === 'EADDRNOTAVAIL' && localAddress !== undefined
      ? { what: localAddress, hint: 'name an address of this machine, or none' }
      : code === 'EADDRINUSE' && localPort !== undefined
        ? { what: `port ${localPort}`, hint: 'name another port of this machine, or none' }
        : undefined;
  return from && toXferError(error, `connect ${label} from ${from.what}`, { hint: from.hint });
}
