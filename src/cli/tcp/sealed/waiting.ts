/** What a sealed end that waits tells the person: the line for the other end. */
import { printable } from '../../../names.js';
import type { TcpAddress } from '../../../transports/tcp/options.js';
import { formatKey } from '../../../transports/tcp/sealed/key.js';
import { inkOf, qrLines } from '../../render/qr-code.js';
import type { Report } from '../../render/report.js';
import type { Surroundings } from '../../surroundings.js';
import { describeAddress } from '../tcp-options.js';
import { formatAddresses } from './addresses.js';
import type { FoundKey } from './key.js';

const LINES = {
  send: (at: string, how: string) => `xfer recv ${how} ${at} .`,
  recv: (at: string, how: string) => `xfer send ${how} ${at} FILE...`,
  pipe: (at: string, how: string) => `xfer pipe ${how} ${at}`,
} as const;

export type SealedRole = keyof typeof LINES;

/** Says where it waits, and what to type at the other end; on a terminal as a QR code too. */
export function tellWaiting(
  role: SealedRole,
  bound: TcpAddress,
  { key, isNew }: FoundKey,
  report: Report,
  around: Surroundings,
): void {
  const { host, port, path } = bound;
  const record = { type: 'listening', sealed: true, ...(path === undefined ? { host, port } : { path }) };
  report.tell(`waiting on ${describeAddress(bound)}, sealed`, record);
  const line = LINES[role](printable(formatAddresses(bound)), isNew ? `--key ${formatKey(key)}` : '--sealed');
  report.tell(`at the other end: ${line}`);
  if (!isNew) return;
  report.tell(`or, with the key typed when asked: ${LINES[role](printable(formatAddresses(bound)), '--sealed')}`);
  const code = around.stderr.isTTY ? qrLines(line, inkOf(around.stderr, around.env, around.platform)) : undefined;
  if (code && code.columns <= (around.stderr.columns ?? 80)) report.tell(code.text);
}
