/** Numbers as a person reads them. */
import { XferError } from '../../errors.js';
import type { OptionName } from '../options.js';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `999 B`, `1.2 MiB`, `34 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = -1;
  do {
    value /= 1024;
    unit++;
  } while (value >= 1023.5 && unit < UNITS.length - 1);
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** `24 ms`, `0.4 s`, `12 s`, `3:05`, `2:03:05`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 95) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (part: number): string => String(part).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}

/** `1 file`, `3 files`, `2 directories`. */
export function formatCount(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

const SUFFIXES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a typed `500K`, `1.5M` or `80000`; undefined where it is none. */
function parseBytes(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)([kmg]?)(?:i?b)?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * (SUFFIXES[(match[2] as string).toLowerCase()] as number)) : -1;
  return bytes >= 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes a second of a typed `500K`, `1.5M` or `80000`, the value of `option`. USAGE where it is none, or 0. */
export function parseRate(option: OptionName, text: string): number {
  const rate = parseBytes(text);
  if (rate) return rate;
  throw new XferError('USAGE', `option --${option} ${text}: not a number of bytes a second`, {
    hint: rate === undefined ? 'as in 500K, 1.5M or 80000' : 'leave it out for no limit',
  });
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a typed `90s`, `30m`, `1.5h` or `7d`, the value of `option`. USAGE where it is none, or over ten years. */
export function parseDuration(option: OptionName, text: string): number {
  const [, amount, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])$/i.exec(text) ?? [];
  const ms = amount === undefined ? 0 : Number(amount) * (UNIT_MS[(unit as string).toLowerCase()] as number);
  if (ms >= 1 && ms <= 3650 * (UNIT_MS.d as number)) return ms;
  throw new XferError('USAGE', `option --${option} ${text}: not a time to wait for`, {
    hint: 'as in 90s, 30m, 1h or 7d',
  });
}

/** Bytes of a typed `500K`, `1.5G` or `80000`, the value of `option`. USAGE where it is none. */
export function parseSize(option: OptionName, text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new XferError('USAGE', `option --${option} ${text}: not a number of bytes`, {
    hint: 'as in 80000, 500K or 1.5G',
  });
}
