/** Makes the one connection of raw TCP, by connecting or by accepting. */
import { abortable } from '../../concurrency/on-abort.js';
import { throwIfAborted, XferError } from '../../errors.js';
import { describeLocation, type Location } from '../../location.js';
import type { Scope } from '../../transport.js';
import { connect } from './connect.js';
import { startListening } from './listening.js';
import type { TcpAddress, TcpOptions } from './options.js';
import type { Wire } from './wire.js';

/**
 * The one connection of a location: to `host:port` or a unix socket, or with `listen` the first that comes there, after
 * which the port is free again. UNREACHABLE where there is no connection, EXISTS where the port is taken, DENIED where it
 * may not be used.
 */
export async function openWire(location: Location, options: TcpOptions, scope: Scope): Promise<Wire> {
  throwIfAborted(scope.signal);
  const address = addressOf(location);
  const label = describeLocation(location);
  return location.listen ? acceptOne(address, label, options, scope) : connect(address, label, options, scope);
}

/** Where a location connects to or listens. USAGE where it does not say. */
export function addressOf(location: Location): TcpAddress {
  const { host = '', port, path, listen } = location;
  if (port === undefined && host === '' && path !== '') return { host: '', port: 0, path };
  const label = describeLocation(location);
  if (port === undefined || (port === 0 && !listen)) {
    throw new XferError('USAGE', `connection ${label}: no port`, { hint: 'name it as host:port' });
  }
  if (host === '' && !listen) {
    throw new XferError('USAGE', `connection ${label}: no host`, { hint: 'name it as host:port' });
  }
  return { host, port };
}

async function acceptOne(address: TcpAddress, label: string, options: TcpOptions, scope: Scope): Promise<Wire> {
  let taken: ((wire: Wire) => void) | undefined;
  const first = new Promise<Wire>((resolve) => {
    taken = resolve;
  });
  const server = await startListening(address, label, options, (peer, makeWire) => {
    const wire = makeWire();
    if (taken === undefined) {
      wire.cut();
      return;
    }
    server.close();
    options.onConnection?.(peer);
    taken(wire);
    taken = undefined;
  });
  try {
    return await abortable(first, scope);
  } catch (error) {
    void first.then((wire) => wire.cut());
    throw error;
  } finally {
    server.close();
  }
}
