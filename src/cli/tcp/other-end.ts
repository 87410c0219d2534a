/** What a person types at the other end, with whatever program is there. */
import { hostname } from 'node:os';
import type { Location } from '../../location.js';
import { printable } from '../../names.js';
import type { TcpAddress } from '../../transports/tcp/options.js';

/** What this end does. */
export type Role = 'send' | 'recv' | 'pipe';

/** The same address as each program writes it. */
interface Written {
  readonly xfer: string;
  readonly nc: string;
  readonly socat: string;
}

const WILDCARDS: readonly string[] = ['::', '0.0.0.0', ''];

function written({ host, port, path }: TcpAddress): Written {
  if (path !== undefined) return { xfer: path, nc: `-U ${path}`, socat: `UNIX-CONNECT:${path}` };
  const name = WILDCARDS.includes(host) ? hostname() : host;
  const bracketed = name.includes(':') ? `[${name}]` : name;
  return { xfer: `${bracketed}:${port}`, nc: `${name} ${port}`, socat: `TCP:${bracketed}:${port}` };
}

/** The options are those that let the program end by itself, and lose nothing. */
const LINES: Record<Role, (at: Written) => readonly string[]> = {
  send: (at) => [
    `xfer recv ${at.xfer} file`,
    `nc -d ${at.nc} > file`,
    `ncat --recv-only ${at.nc} > file`,
    `socat -u ${at.socat} CREATE:file`,
  ],
  recv: (at) => [
    `xfer send ${at.xfer} file`,
    `nc -N ${at.nc} < file`,
    `ncat --send-only ${at.nc} < file`,
    `socat -u FILE:file ${at.socat}`,
  ],
  pipe: (at) => [`xfer pipe ${at.xfer}`, `nc -N ${at.nc}`, `ncat ${at.nc}`, `socat - ${at.socat}`],
};

/** For an end that listens at `address`. nc is OpenBSD's, which Debian and macOS have. */
export function otherEndLines(role: Role, address: TcpAddress): string[] {
  const lines = LINES[role](written(address)).map((line) => `  ${printable(line)}`);
  return ['at the other end, one of:', ...lines];
}

const WAITING: Record<Role, (nc: string, xfer: string) => string> = {
  send: (nc, xfer) => `xfer recv ${xfer} file, or nc ${nc} > file`,
  recv: (nc, xfer) => `xfer send -l ${xfer} file, or nc -N ${nc} < file`,
  pipe: (nc, xfer) => `xfer pipe -l ${xfer}, or nc -N ${nc}`,
};

/** For an end that found nobody at that place. */
export function waitingHint(role: Role, { port, path }: Location): string {
  const unix = role === 'send' ? `-l ${path}` : path;
  const waiting = WAITING[role](path ? `-lU ${path}` : `-l ${port}`, path ? unix : `${port}`);
  return `start it there first, as in ${waiting}; or add --retry 60 to wait for it`;
}

const SEALED_WAITING: Record<Role, (at: string) => string> = {
  send: (at) => `xfer recv ${at} .`,
  recv: (at) => `xfer send -l ${at} file`,
  pipe: (at) => `xfer pipe -l ${at}`,
};

/** The same where both ends hold a key. */
export function sealedWaitingHint(role: Role, { port, path }: Location): string {
  return `start it there first, as in ${SEALED_WAITING[role](path || `${port}`)} with the same key`;
}
