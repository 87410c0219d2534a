import type { TcpAddress } from '../options.js';

/**
 * What a client's file is called, without a word from it: the time in UTC, its address and a count, as in
 * `2026-11-26T22-40-01.123-192.0.2.7-1`. Every system takes it as a name.
 */
export function clientName({ host, path }: TcpAddress, count: number, now = new Date()): string {
  const time = now.toISOString().replaceAll(':', '-').slice(0, -1);
  const from = path === undefined ? host.replace(/[^0-9a-z.]/gi, '-') : 'unix';
  return `${time}-${from || 'unknown'}-${count}`;
}
