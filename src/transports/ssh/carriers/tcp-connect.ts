import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { onAbort } from '../../../concurrency/on-abort.js';
import { XferError } from '../../../errors.js';
import { FAMILIES } from '../config/canonical-host.js';
import type { SshConfig } from '../config/config.js';
import { connectionError } from './connection-error.js';

/** How long one address of a host is tried before the next. Node's own 250 ms is too short for a satellite's line. */
const ADDRESS_MS = 2000;
/** OpenSSH waits as long between two tries (sshconnect.c). */
const BETWEEN_ATTEMPTS_MS = 1000;

/** A connected socket, tried as often as ConnectionAttempts says. UNREACHABLE, TIMED_OUT, the signal's reason. */
export async function connectSocket(config: SshConfig, signal: AbortSignal): Promise<Socket> {
  for (let left = config.connectionAttempts - 1; ; left--) {
    try {
      return await connectOnce(await endpoint(config), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (left <= 0) throw connectionError(error, config);
      await sleep(BETWEEN_ATTEMPTS_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

function connectOnce(options: TcpNetConnectOpts, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect(options);
    const free = onAbort(signal, () => {
      socket.destroy();
      reject(signal.reason);
    });
    const onError = (error: Error) => {
      free();
      socket.destroy();
      reject(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      free();
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

async function endpoint(config: SshConfig): Promise<TcpNetConnectOpts> {
  const [literal, wanted] = [isIP(config.hostName), FAMILIES[config.addressFamily]];
  if (literal && wanted && literal !== wanted) {
    throw new XferError('UNREACHABLE', `connect to ${config.hostName}: it is no IPv${wanted} address`);
  }
  const from = await startingPoint(config);
  return {
    host: config.hostName,
    port: config.port,
    family: from ? isIP(from) : wanted,
    noDelay: true,
    keepAlive: config.tcpKeepAlive,
    autoSelectFamilyAttemptTimeout: ADDRESS_MS,
    ...(from === undefined ? {} : { localAddress: from }),
  };
}

/** The address of this machine that BindAddress or BindInterface names. UNREACHABLE where there is none. */
async function startingPoint(config: SshConfig): Promise<string | undefined> {
  const family = isIP(config.hostName) || FAMILIES[config.addressFamily];
  const { bindAddress, bindInterface } = config;
  if (bindAddress !== undefined) return (await lookup(bindAddress, { family })).address;
  if (bindInterface === undefined) return undefined;
  const families = family ? [family] : (await lookup(config.hostName, { all: true })).map((each) => each.family);
  const own = networkInterfaces()[bindInterface] ?? [];
  for (const wanted of families) {
    const found = own.find((each) => each.family === `IPv${wanted}` && !each.address.startsWith('fe80:'));
    if (found) return found.address;
  }
  throw new XferError('UNREACHABLE', `connect to ${config.host}: interface ${bindInterface} has no address for it`, {
    hint: 'see what there is with: ip address',
  });
}
