/** A time in ms since 1970 as Node's `utimes` takes it: it has a negative number of seconds for now, but not a date. */
export function systemTime(ms: number): number | Date {
  return ms < 0 ? new Date(Math.floor(ms)) : ms / 1000;
}
