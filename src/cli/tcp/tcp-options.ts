/** The options of the table -> what raw TCP is told. */
import { XferError } from '../../errors.js';
import { AllowedAddresses } from '../../listening/allowed-addresses.js';
import { parsePort } from '../../location.js';
import { printable } from '../../names.js';
import type { TcpAddress, TcpOptions } from '../../transports/tcp/options.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import { parseSize } from '../render/format.js';
import type { Report } from '../render/report.js';
import { otherEndLines, type Role } from './other-end.js';

/** USAGE where a value is not of its kind. */
export function tcpOptions(parsed: ParsedArguments, report: Report, role: Role): TcpOptions {
  return {
    ...times(parsed),
    ...addresses(parsed),
    ...expected(parsed),
    onListening: (address) => {
      const { host, port, path } = address;
      const record = { type: 'listening', ...(path === undefined ? { host, port } : { path }) };
      report.tell(`listening on ${describeAddress(address)}`, record);
      for (const line of otherEndLines(role, address)) report.tell(line);
    },
    onConnection: (peer) => {
      const { host, port, path } = peer;
      const record = { type: 'connected', ...(path === undefined ? { host, port } : { path }) };
      report.tell(`connected to ${describeAddress(peer)}`, record);
    },
  };
}

function times(parsed: ParsedArguments): TcpOptions {
  const connectTimeoutMs = parsed.milliseconds('connect-timeout');
  const idleTimeoutMs = parsed.milliseconds('idle-timeout');
  const finishIdleMs = parsed.milliseconds('finish-idle');
  return {
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(finishIdleMs === undefined ? {} : { finishIdleMs }),
  };
}

function addresses(parsed: ParsedArguments): TcpOptions {
  const localAddress = parsed.text('source');
  const sourcePort = parsed.text('source-port');
  const allow = parsed.list('allow');
  // Said before anything is opened.
  new AllowedAddresses(allow);
  return {
    ...(parsed.flag('ipv4') ? { family: 4 } : parsed.flag('ipv6') ? { family: 6 } : {}),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(sourcePort === undefined ? {} : { localPort: parsePort(sourcePort) }),
    ...(allow.length === 0 ? {} : { allow }),
  };
}

function expected(parsed: ParsedArguments): TcpOptions {
  const size = parsed.text('size');
  const sha256 = parsed.text('sha256')?.toLowerCase();
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new XferError('USAGE', `option --sha256 ${sha256}: not 64 hex digits`, {
      hint: 'sha256sum file prints them',
    });
  }
  return {
    ...(size === undefined ? {} : { expectedBytes: parseSize('size', size) }),
    ...(sha256 === undefined ? {} : { expectedSha256: sha256 }),
  };
}

/** `host:port`, or the path of a unix socket, printable. */
export function describeAddress({ host, port, path }: TcpAddress): string {
  if (path !== undefined) return printable(path);
  return printable(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}
