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
  send: (how: string) => `xfer recv ${how} .`,
  recv: (how: string) => `xfer send ${how} FILE...`,
  pipe: (how: string) => `xfer pipe ${how}`,
} as const;

export type SealedRole = keyof typeof LINES;

/**
 * Says where it waits, and what to type at the other end: for one that finds it where it is `announced`, and by its address;
 * on a terminal as a QR code too.
 */
export function tellWaiting(
  role: SealedRole,
  bound: TcpAddress,
  { key, isNew }: FoundKey,
  report: Report,
  around: Surroundings,
  announced: boolean,
): void {
  const { host, port, path } = bound;
  const where = path === undefined ? { host, port } : { path };
  report.tell(`waiting on ${describeAddress(bound)}, sealed`, { type: 'listening', sealed: true, announced, ...where });
  const address = printable(formatAddresses(bound));
  const withKey = isNew ? `--key ${formatKey(key)}` : '';
  const line = (...words: string[]) => LINES[role](words.filter((word) => word !== '').join(' '));
  const direct = line(withKey || '--sealed', address);
  if (announced) {
    report.tell(`at the other end, in this network: ${line('--find', withKey)}`);
    report.tell(`or, from elsewhere: ${direct}`);
  } else report.tell(`at the other end: ${direct}`);
  if (!isNew) return;
  report.tell(`or, with the key typed when asked: ${announced ? line('--find') : line('--sealed', address)}`);
  const code = around.stderr.isTTY ? qrLines(direct, inkOf(around.stderr, around.env, around.platform)) : undefined;
  if (code && code.columns <= (around.stderr.columns ?? 80)) report.tell(code.text);
}
