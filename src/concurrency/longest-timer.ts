/** Times that a timer can be given. */
import { XferError } from '../errors.js';

/** The longest time that a timer can be given: a longer one fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The time itself, or the longest that a timer can be given in place of a longer one, in milliseconds. */
export function withinTimerMs(ms: number): number {
  return Math.min(ms, LONGEST_TIMER_MS);
}

/** The time that an option says, in whole milliseconds, as a timer can be given it. USAGE where it is not above 0. */
export function timerMs(option: string, ms: number): number {
  if (ms > 0) return withinTimerMs(Math.ceil(ms));
  throw new XferError('USAGE', `option ${option} ${ms}: not a time above 0 ms`);
}
