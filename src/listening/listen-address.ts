/** Binds what a listener is to listen on: addresses, unix sockets, named pipes, and sockets that were handed down. */
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { systemCode, toXferError, XferError } from '../errors.js';
import { checkSocketPath, removeStaleSocket, socketPath } from '../files/socket-file.js';

/** All addresses of both families. */
const EVERYWHERE: readonly string[] = ['::', '0.0.0.0'];

/** Tries to find one port that is free on every address, where port 0 was asked for. */
const FREE_PORT_TRIES = 16;

/** Ports that are looked at for one to name in place of one that is taken. */
const NEXT_PORT_TRIES = 20;

/** Connections that wait to be accepted; Node's own 511 leave those of a crowd to try again a second later. */
const BACKLOG = 4096;

const NO_SUCH_FAMILY: ReadonlySet<string | undefined> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

export interface Wanted {
  /** Absent: all addresses of both families. */
  readonly hosts?: readonly string[] | undefined;
  /** 0 takes one that is free on all of them. */
  readonly port: number;
  /** Listening sockets that this process was started with, in place of `hosts` and `port`. */
  readonly descriptors?: readonly number[] | undefined;
  /** What a person types to listen, up to the port: for the hints. */
  readonly example: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Bound<S extends Server = Server> {
  readonly servers: readonly S[];
  /** What was bound over TCP. */
  readonly addresses: readonly Address[];
  /** Paths of unix sockets and names of named pipes; `fd:3` for one that was handed down and tells no path. */
  readonly sockets: readonly string[];
}

/** What one server listens on. */
type Place = { readonly host: string } | { readonly path: string } | { readonly fd: number };

/**
 * Binds one server for each place, all addresses on the same port; where all addresses are wanted, a machine without IPv6
 * goes on with IPv4. A unix socket whose server is dead is replaced. Rejects with EXISTS where a port or a socket is taken,
 * DENIED where it may not be used, UNREACHABLE where the address is not one of this machine, UNSAFE_PATH where the path of a
 * socket is too long, UNSUPPORTED for a descriptor that is no socket to listen on; nothing stays bound then.
 */
export async function bind<S extends Server>(make: () => S, wanted: Wanted): Promise<Bound<S>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindOnce(make, wanted);
    } catch (error) {
      const inUse = error instanceof XferError && systemCode(error.cause) === 'EADDRINUSE';
      if (wanted.port !== 0 || !inUse || attempt >= FREE_PORT_TRIES) throw error;
    }
  }
}

/** The address that stands for all of a listener: the first over TCP, else its first socket with port 0. */
export function mainAddress({ addresses, sockets }: Bound): Address {
  return addresses[0] ?? { host: sockets[0] as string, port: 0 };
}

async function bindOnce<S extends Server>(make: () => S, wanted: Wanted): Promise<Bound<S>> {
  const places = placesOf(wanted);
  const everywhere = !wanted.hosts?.length && !wanted.descriptors?.length;
  const servers: S[] = [];
  const addresses: Address[] = [];
  const sockets: string[] = [];
  let { port } = wanted;
  try {
    for (const place of places) {
      const server = make();
      try {
        await listenOn(server, place, port, places.length > 1);
      } catch (error) {
        if (everywhere && 'host' in place && place.host === '::' && NO_SUCH_FAMILY.has(systemCode(error))) continue;
        throw await bindError(error, place, wanted);
      }
      servers.push(server);
      const taken = server.address() as AddressInfo | string | null;
      if (taken === null || typeof taken === 'string') sockets.push(taken ?? nameOf(place));
      else {
        port = taken.port;
        addresses.push({ host: 'host' in place ? place.host : taken.address, port });
      }
    }
  } catch (error) {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    throw error;
  }
  return { servers, addresses, sockets };
}

function placesOf({ hosts, descriptors }: Wanted): Place[] {
  if (descriptors && descriptors.length > 0) return descriptors.map((fd) => ({ fd }));
  const wanted = hosts && hosts.length > 0 ? hosts : EVERYWHERE;
  return wanted.map((host) => {
    const path = socketPath(host);
    if (path === undefined) return { host };
    checkSocketPath(path);
    return { path };
  });
}

function nameOf(place: Place): string {
  return 'fd' in place ? `fd:${place.fd}` : 'path' in place ? place.path : place.host;
}

async function listenOn(server: Server, place: Place, port: number, ipv6Only: boolean): Promise<void> {
  if (!('path' in place)) return listenOnce(server, 'fd' in place ? place : { ...place, port, ipv6Only });
  try {
    await listenOnce(server, place);
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE' || !(await removeStaleSocket(place.path))) throw error;
    await listenOnce(server, place);
  }
}

function listenOnce(server: Server, where: ListenOptions | { readonly fd: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** One that nobody listens on now, close to `port`; 0, which stands for any that is free, where none of these is. */
async function freePortBeside(host: string, port: number): Promise<number> {
  for (let distance = 1; distance <= NEXT_PORT_TRIES; distance += 1) {
    const next = port + distance <= 65535 ? port + distance : port - distance;
    const server = createServer();
    const free = await listenOnce(server, { host, port: next }).then(
      () => true,
      () => false,
    );
    await new Promise((resolve) => server.close(resolve));
    if (free) return next;
  }
  return 0;
}

async function bindError(error: unknown, place: Place, { port, example }: Wanted): Promise<XferError> {
  const code = systemCode(error);
  if ('fd' in place) {
    return new XferError('UNSUPPORTED', `listen on descriptor ${place.fd}: it is no socket that takes connections`, {
      hint: 'in a .socket unit of systemd: ListenStream= and Accept=no',
      cause: error,
    });
  }
  if ('path' in place) {
    const what = `listen on ${place.path}`;
    if (code !== 'EADDRINUSE') return toXferError(error, what);
    // Without a cause: another try would not help.
    return new XferError('EXISTS', `${what}: something has that name, or a server answers there`, {
      hint: 'end that server, or take another path',
    });
  }
  const what = EVERYWHERE.includes(place.host) ? `listen on port ${port}` : `listen on ${place.host} port ${port}`;
  if (code === 'EADDRINUSE') {
    return new XferError('EXISTS', `${what}: the port is in use`, {
      hint: `take another one, as in: ${example} ${await freePortBeside(place.host, port)}`,
      cause: error,
    });
  }
  const hint = code === 'EACCES' ? `a port above 1023 needs no special rights, as in: ${example} 8000` : undefined;
  return toXferError(error, what, { hint });
}
