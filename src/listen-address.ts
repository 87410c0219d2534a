/** Addresses: what is bound, and what a person types to reach it. */
import type { AddressInfo, Server } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { systemCode, toXferError, XferError } from './errors.js';

/** All addresses of both families. */
const EVERYWHERE: readonly string[] = ['::', '0.0.0.0'];

/** Tries to find one port that is free on every address, where port 0 was asked for. */
const FREE_PORT_TRIES = 16;

/** Connections that wait to be accepted; Node's own 511 leave those of a crowd to try again a second later. */
const BACKLOG = 4096;

const NO_SUCH_FAMILY: ReadonlySet<string | undefined> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

export interface Wanted {
  /** Absent: all addresses of both families. */
  readonly hosts?: readonly string[] | undefined;
  /** 0 takes one that is free on all of them. */
  readonly port: number;
  /** What a person types to listen, up to the port: for the hints. */
  readonly example: string;
}

export interface Bound<S extends Server = Server> {
  readonly servers: readonly S[];
  readonly hosts: readonly string[];
  readonly port: number;
}

/**
 * Binds one server for each host, all on the same port; where all addresses are wanted, a machine without IPv6 goes on
 * with IPv4. Rejects with EXISTS where the port is taken, DENIED where it may not be used, UNREACHABLE where the address
 * is not one of this machine; nothing stays bound then.
 */
export async function bind<S extends Server>(make: () => S, wanted: Wanted): Promise<Bound<S>> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindOnce(make, wanted);
    } catch (error) {
      const again = wanted.port === 0 && systemCode(error) === 'EADDRINUSE' && attempt < FREE_PORT_TRIES;
      if (!again) throw bindError(error, wanted);
    }
  }
}

async function bindOnce<S extends Server>(make: () => S, { hosts, port }: Wanted): Promise<Bound<S>> {
  const wanted = hosts && hosts.length > 0 ? hosts : EVERYWHERE;
  const servers: S[] = [];
  const bound: string[] = [];
  let taken = port;
  try {
    for (const host of wanted) {
      const server = make();
      try {
        taken = await listenOn(server, host, taken, wanted.length > 1);
      } catch (error) {
        if (wanted === EVERYWHERE && host === '::' && NO_SUCH_FAMILY.has(systemCode(error))) continue;
        throw error;
      }
      servers.push(server);
      bound.push(host);
    }
  } catch (error) {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    throw error;
  }
  return { servers, hosts: bound, port: taken };
}

function listenOn(server: Server, host: string, port: number, ipv6Only: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only, backlog: BACKLOG }, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function bindError(error: unknown, { port, example }: Wanted): XferError {
  const code = systemCode(error);
  const what = `listen on port ${port}`;
  if (code === 'EADDRINUSE') {
    const next = port < 65535 ? port + 1 : port - 1;
    return new XferError('EXISTS', `${what}: the port is in use`, {
      hint: `take another one, as in: ${example} ${next}`,
      cause: error,
    });
  }
  const hint = code === 'EACCES' ? `a port above 1023 needs no special rights, as in: ${example} 8000` : undefined;
  return toXferError(error, what, { hint });
}

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * Every URL that a person can type for the bound hosts: localhost first, then the IPv4 and the IPv6 addresses of this
 * machine's interfaces where all were bound. Link-local addresses are left out, because browsers take no zone.
 */
export function listenerUrls(
  scheme: string,
  hosts: readonly string[],
  port: number,
  interfaces?: Interfaces,
): string[] {
  const names = new Set<string>();
  const all = hosts.some(isWildcard)
    ? Object.values(interfaces ?? networkInterfaces()).flatMap((list) => list ?? [])
    : [];
  for (const host of hosts) {
    if (isWildcard(host)) names.add('localhost');
    else names.add(host);
  }
  if (hosts.includes('0.0.0.0') || hosts.length === 1) addAddresses(names, all, 'IPv4');
  if (hosts.some((host) => isWildcard(host) && host !== '0.0.0.0')) addAddresses(names, all, 'IPv6');
  return [...names].map((name) => `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}/`);
}

function addAddresses(names: Set<string>, all: readonly NetworkInterfaceInfo[], family: 'IPv4' | 'IPv6'): void {
  for (const { address, family: its, internal } of all) {
    const linkLocal = /^(?:fe[89ab]|169\.254\.)/i.test(address);
    if (its === family && !internal && !linkLocal) names.add(address);
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '::0';
}
