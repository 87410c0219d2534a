/** Sizes, times and numbers as a listing writes them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** `4 B`, `1.5 MiB`. */
export function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let power = 0;
  let amount = bytes;
  // 1023.96 would be written as 1024.0.
  while (amount >= 1023.95 && power < UNITS.length - 1) {
    amount /= 1024;
    power += 1;
  }
  return `${amount >= 99.95 ? Math.round(amount) : amount.toFixed(1)} ${UNITS[power]}`;
}

/** `1 file`, `2 files`. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

let lastDay = Number.NaN;
let lastDate = '';

/** `2024-05-01T09:30:00` in UTC, or undefined for no time, or one that no calendar has. */
export function utcSeconds(timeMs: number | undefined): string | undefined {
  if (timeMs === undefined || !(Math.abs(timeMs) < 8.64e15)) return undefined;
  const day = Math.floor(timeMs / DAY_MS);
  // A folder holds many files of few days, and the date costs more than the rest of a row.
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, -'T00:00:00.000Z'.length);
    lastDay = day;
  }
  const seconds = Math.floor((timeMs - day * DAY_MS) / 1000);
  const [hour, minute] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${lastDate}T${TWO_DIGITS[hour]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[seconds % 60]}`;
}
