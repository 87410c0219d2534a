/** How far a copy is, for a person: a bar on a terminal, else a line now and then. */
import { printable } from '../../names.js';
import type { Output } from '../surroundings.js';
import { formatBytes, formatDuration } from './format.js';
import type { Tally } from './tally.js';
import { columnsOf, shorten } from './width.js';

export interface View {
  /** Shows the tally, where it is time to; it is read again until `end`, so that a stall shows. */
  show(tally: Tally): void;
  /** Writes a whole line that stays. */
  line(text: string): void;
  /** Takes away what does not stay. */
  end(): void;
}

const LINE_EVERY_MS = 5000;
const TICK_MS = 500;
/** As long as scp waits before it says so (progressmeter.c, `STALL_TIME`). */
const STALLED_MS = 5000;
/** Of the bar, in columns: at most, and where there is room for amounts beside it. */
export const BAR_WIDTH = 24;
const LEAST_BAR_WIDTH = 8;
/** Free columns below which amounts matter more than a bar. */
const NARROW = 24;
/** What is around the bar in its line. */
const BAR_FRAME = ' [] ';
/** Some terminals wrap at their last column; a terminal shows Ctrl-C as `^C`, and a line that wraps cannot be taken away. */
const FREE_COLUMNS = 3;

/** The moving texts of the bar's line, short enough for the terminal. */
export function barTokens(tally: Tally, columns: number): Record<string, string> {
  const share = (tally.ratio === undefined ? '--%' : `${Math.floor(tally.ratio * 100)}%`).padStart(4);
  const free = columns - FREE_COLUMNS - BAR_FRAME.length - share.length;
  const amounts = amountsOf(tally, free < NARROW ? free : free - LEAST_BAR_WIDTH);
  const room = Math.min(32, free - BAR_WIDTH - amounts.length - 1);
  const label = room < 8 ? '' : `${padded(shorten(printable(tally.path), room), room)} `;
  // The label goes in last, so that a name cannot hold the place of another token.
  return { amounts, share, label };
}

/** Columns that are left for the bar beside these texts. */
export function barWidth(tokens: Record<string, string>, columns: number): number {
  const taken = Object.values(tokens).reduce((sum, text) => sum + columnsOf(text), BAR_FRAME.length);
  return Math.max(0, Math.min(BAR_WIDTH, columns - FREE_COLUMNS - taken));
}

function padded(text: string, room: number): string {
  return text + ' '.repeat(Math.max(0, room - columnsOf(text)));
}

/** The first of: what is held, the rate, the time left and the files, that fit into so many columns; empty where none does. */
function amountsOf(tally: Tally, columns: number): string {
  const held = formatBytes(tally.held);
  const parts = [tally.complete && tally.planned > 0 ? `${held}/${formatBytes(tally.planned)}` : held];
  if (tally.silentMs >= STALLED_MS) parts.push(`stalled for ${formatDuration(tally.silentMs)}`);
  else if (tally.bytesPerSecond > 0) parts.push(`${formatBytes(tally.bytesPerSecond)}/s`);
  if (tally.leftMs !== undefined) parts.push(`${formatDuration(tally.leftMs)} left`);
  if (tally.filesPlanned > 1) parts.push(`${tally.filesDone}/${tally.filesPlanned} files`);
  while (parts.length > 1 && parts.join('  ').length > columns) parts.pop();
  return [parts.join('  '), held].find((text) => text.length <= columns) ?? '';
}

/** A line where some seconds have passed since the last one. */
export function createLineView(output: Output, now: () => number = () => performance.now()): View {
  let shown = now();
  return {
    show: (tally) => {
      if (now() - shown < LINE_EVERY_MS) return;
      shown = now();
      const percentage = tally.ratio === undefined ? '' : ` (${Math.floor(tally.ratio * 100)}%)`;
      output.write(`${amountsOf(tally, Number.POSITIVE_INFINITY)}${percentage}\n`);
    },
    line: (text) => void output.write(`${text}\n`),
    end: () => undefined,
  };
}

/** Lines that stay, and nothing else. */
export function createStillView(output: Output): View {
  return { show: () => undefined, line: (text) => void output.write(`${text}\n`), end: () => undefined };
}

/** The same view, which also shows the last tally now and then while nothing is heard. */
export function ticking(view: View, everyMs = TICK_MS): View {
  let timer: NodeJS.Timeout | undefined;
  return {
    show: (tally) => {
      timer ??= setInterval(() => view.show(tally), everyMs).unref();
      view.show(tally);
    },
    line: (text) => view.line(text),
    end: () => {
      clearInterval(timer);
      timer = undefined;
      view.end();
    },
  };
}
