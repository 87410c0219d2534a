/** Under which names and addresses this machine may be asked for, as a certificate holds them. */
import type { X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import { hostname, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

export interface Machine {
  readonly hostname: string;
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
}

/** More would make each handshake long. */
const MOST_NAMES = 100;

/**
 * localhost, the host's name and its name in mDNS, loopback, each address of an interface that is not link-local (browsers
 * take no zone), and the hosts that are served on; at most 100 of them.
 */
export function machineNames(
  hosts: readonly string[] = [],
  { hostname: host, interfaces }: Machine = { hostname: hostname(), interfaces: networkInterfaces() },
): string[] {
  const addresses = Object.values(interfaces).flatMap((list) => (list ?? []).map(({ address }) => address));
  const mdns = `${host.split('.', 1)[0]}.local`;
  const names = ['localhost', host, mdns, '127.0.0.1', '::1', ...hosts, ...addresses];
  return certifiable(names);
}

/** Names that a certificate has already. */
export function namesOf(certificate: X509Certificate): string[] {
  const entries = (certificate.subjectAltName ?? '').split(', ');
  return certifiable(entries.map((entry) => entry.replace(/^(?:DNS|IP Address):/, '')));
}

/** Those of the names for which a certificate does not stand. */
export function namesLacking(certificate: X509Certificate, names: readonly string[]): string[] {
  return names.filter((name) => !(isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)));
}

/** The names that can be in a certificate, in one spelling, each once, the first so many. */
export function certifiable(names: readonly string[]): string[] {
  const fit = names.map((name) => name.toLowerCase()).filter(isCertifiable);
  return [...new Set(fit.map(usualSpelling))].slice(0, MOST_NAMES);
}

function usualSpelling(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: 'ipv6' }).address : name;
}

function isCertifiable(name: string): boolean {
  if (isIP(name) !== 0) return !/^(?:fe[89ab]|169\.254\.|0\.0\.0\.0$|::$|::0$)|%/.test(name);
  // RFC 1123, 2.1: letters, digits and hyphens. A last part of digits would be taken for an address.
  return name.length <= 253 && /^(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?![0-9]+$)(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(name);
}
