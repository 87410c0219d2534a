/** Addresses and options of the commands that speak raw TCP. */
import { hostname } from 'node:os';
import { XferError } from '../errors.js';
import { type Location, parseHostPort, parsePort } from '../location.js';
import { printable } from '../names.js';
import type { TcpAddress, TcpOptions } from '../transports/tcp/raw.js';
import type { ParsedArguments } from './parsed-arguments.js';
import type { Report } from './render/report.js';

/** `host:port` to connect to. USAGE where it is none. */
export function parseTarget(text: string): Location {
  const { host, port } = parseHostPort(text);
  if (host === undefined) throw new XferError('USAGE', `address ${text}: no host`, { hint: 'name it as host:port' });
  return { scheme: 'tcp', host, port, path: '' };
}

/** `port`, `:port`, `*:port` or `host:port` to listen on; port 0 takes a free one. USAGE where it is none. */
export function parseListenAddress(text: string): Location {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]/]*)):)?([0-9]+)$/.exec(text);
  if (!match) {
    throw new XferError('USAGE', `address ${text}: not a port or host:port`, {
      hint: 'name a port, as in 8080, or the address to listen on too, as in 127.0.0.1:8080',
    });
  }
  const host = match[1] ?? match[2] ?? '';
  const port = parsePort(match[3] as string, true);
  return { scheme: 'tcp', port, path: '', listen: true, ...(host === '' || host === '*' ? {} : { host }) };
}

/** What the TCP transport is told. `otherEnd` is the command to type on the other machine. */
export function tcpOptions(
  parsed: ParsedArguments,
  report: Report,
  otherEnd: (host: string, port: number) => string,
): TcpOptions {
  const connectSeconds = parsed.number('connect-timeout');
  const idleSeconds = parsed.number('idle-timeout');
  return {
    onListening: (address: TcpAddress) => {
      const { host, port } = address;
      const reachable = host === '::' || host === '0.0.0.0' || host === '' ? hostname() : host;
      report.tell(`listening on ${describeAddress(address)}`, { type: 'listening', host, port });
      report.tell(`on the other machine: ${printable(otherEnd(reachable, port))}`);
    },
    onConnection: (peer: TcpAddress) =>
      report.tell(`connected to ${describeAddress(peer)}`, { type: 'connected', host: peer.host, port: peer.port }),
    ...(connectSeconds === undefined ? {} : { connectTimeoutMs: connectSeconds * 1000 }),
    ...(idleSeconds === undefined ? {} : { idleTimeoutMs: idleSeconds * 1000 }),
  };
}

function describeAddress({ host, port }: TcpAddress): string {
  return printable(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}

/** What raw TCP can say of a file that went over it. */
export function plainTcpClosing(digests: ReadonlyMap<string, string>): string {
  const [digest] = digests.values();
  return digest === undefined ? 'unverified: plain TCP' : `sha256 ${digest}, unverified: plain TCP`;
}
