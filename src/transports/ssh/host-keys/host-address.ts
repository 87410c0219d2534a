/** Addresses as a person may write them, and as getaddrinfo() and getnameinfo() make them one. */
import { isIP, isIPv6, SocketAddress } from 'node:net';

export type AddressFamily = 'any' | 'inet' | 'inet6';

/** Whether a name can only be an address, right or not. */
export function looksLikeAddress(name: string): boolean {
  return /[%:]/.test(name) || /^[0-9.]*$/.test(name);
}

/** The usual spelling of an address: `127.1` is 127.0.0.1. Undefined for a name, and for one of another family. */
export function canonicalAddress(name: string, family: AddressFamily): string | undefined {
  if (!name.includes(':')) return family === 'inet6' ? undefined : canonicalV4(name);
  const [address, scope] = splitScope(name);
  if (family === 'inet' || !isIPv6(address)) return undefined;
  const usual = new SocketAddress({ address, family: 'ipv6' }).address;
  return scope === undefined ? usual : `${usual}%${scope}`;
}

function splitScope(name: string): [string, string | undefined] {
  const at = name.indexOf('%');
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 1)];
}

/** inet_aton(3): one to four numbers, decimal, octal or hexadecimal, of which the last fills what is left. */
function canonicalV4(name: string): string | undefined {
  const parts = name.split('.');
  if (parts.length > 4 || !parts.every((part) => /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.test(part))) return undefined;
  const numbers = parts.map((part) => Number(/^0[0-7]/.test(part) ? `0o${part.slice(1)}` : part));
  const last = numbers.pop() as number;
  if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
  const value = numbers.reduce((sum, number, at) => sum + number * 256 ** (3 - at), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Whether an address is this machine's own loopback: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/i, '');
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1';
}
