/** What a person types to reach a listener. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Address } from './listen-address.js';

/** An address of this machine answers in less, where it answers at all. */
const ANSWER_MS = 1000;

/** Addresses of documentation (RFC 5737, RFC 3849): the way to them is the way out, and nothing is sent. */
const FAR_AWAY = { udp4: '192.0.2.1', udp6: '2001:db8::1' } as const;

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * Every URL that a person can type for what was bound: localhost first, then the IPv4 and the IPv6 addresses of this
 * machine's interfaces where all were bound, those in `first` before the others. Link-local addresses are left out, because
 * browsers take no zone.
 */
export function listenerUrls(
  scheme: string,
  bound: readonly Address[],
  interfaces: Interfaces = networkInterfaces(),
  first: readonly string[] = [],
): string[] {
  const rank = ({ family, address }: NetworkInterfaceInfo): number =>
    (family === 'IPv4' ? 0 : 2) + (first.includes(address) ? 0 : 1);
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  const outside = all.filter(isOutside).toSorted((a, b) => rank(a) - rank(b));
  const found: Address[] = bound.map(({ host, port }) => ({ host: isWildcard(host) ? 'localhost' : host, port }));
  for (const { address, family } of outside) {
    for (const { host, port } of bound) {
      // A socket of IPv6 that is alone takes IPv4 too.
      const takes = host === '0.0.0.0' ? family === 'IPv4' : family === 'IPv6' || bound.length === 1;
      if (isWildcard(host) && takes) found.push({ host: address, port });
    }
  }
  return [...new Set(found.map(({ host, port }) => `${scheme}://${bracketed(host)}:${port}/`))];
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host.replace('%', '%25')}]` : host;
}

/** As `listenerUrls`, without those that take no connection from this machine, and the address of the way out first. */
export async function urlsThatAnswer(scheme: string, bound: readonly Address[]): Promise<string[]> {
  const first = await Promise.all([outwardAddress('udp4'), outwardAddress('udp6')]);
  const urls = listenerUrls(
    scheme,
    bound,
    networkInterfaces(),
    first.filter((address) => address !== undefined),
  );
  const given = new Set(listenerUrls(scheme, bound, {}));
  const answers = await Promise.all(urls.map(async (url) => given.has(url) || (await takesConnection(url))));
  return urls.filter((_url, index) => answers[index]);
}

/** The first URL that leads here from another machine; undefined where all stay on this one. */
export function urlForOthers(urls: readonly string[]): string | undefined {
  return urls.find((url) => !isLoopbackUrl(url));
}

/** Whether only this machine can use it. */
export function isLoopbackUrl(url: string): boolean {
  return /^\w+:\/\/(?:localhost|127\.[\d.]+|\[::1\]|\[::ffff:127\.[\d.]+\])(?::|\/|$)/i.test(url);
}

function isOutside({ address, internal }: NetworkInterfaceInfo): boolean {
  return !internal && !/^(?:fe[89ab]|169\.254\.)/i.test(address);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '::0';
}

/** The address of this machine by which it reaches others. */
function outwardAddress(type: 'udp4' | 'udp6'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const end = (address?: string): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end());
    socket.connect(9, FAR_AWAY[type], () => end(socket.address().address));
  });
}

function takesConnection(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: ANSWER_MS });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
