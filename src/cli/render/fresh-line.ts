/** Lines of a terminal that are drawn again. */
import type { Output, Surroundings } from '../surroundings.js';

const CLEAR_LINE = '\r\x1b[K';

/** Whether a line on this output can be drawn again. */
export function canRedraw(output: Pick<Output, 'isTTY'>, env: Surroundings['env']): boolean {
  return output.isTTY === true && env.TERM !== 'dumb';
}

/** What to write before the last words of what was stopped, so that they stand behind nothing: neither a bar nor `^C`. */
export function freshLine(output: Pick<Output, 'isTTY'>, env: Surroundings['env']): string {
  if (canRedraw(output, env)) return CLEAR_LINE;
  return output.isTTY ? '\n' : '';
}
