/** How far a copy is, for a person: a bar on a terminal, else a line now and then. */
import { printable } from '../../names.js';
import type { Output } from '../surroundings.js';
import { formatBytes, formatDuration } from './format.js';
import type { Tally } from './tally.js';

export interface View {
  /** Shows the tally, where it is time to. */
  show(tally: Tally): void;
  /** Writes a whole line that stays. */
  line(text: string): void;
  /** Takes away what does not stay. */
  end(): void;
}

const LINE_EVERY_MS = 5000;
export const BAR_WIDTH = 24;

/** The moving texts of the bar's line, short enough for the terminal. */
export function barTokens(tally: Tally, columns: number): Record<string, string> {
  const percentage = tally.ratio === undefined ? ' --%' : `${Math.floor(tally.ratio * 100)}%`.padStart(4);
  const amounts = amountsOf(tally);
  const room = Math.min(32, columns - BAR_WIDTH - percentage.length - amounts.length - 8);
  const label = room < 8 ? '' : `${shorten(printable(tally.path), room).padEnd(room)} `;
  // The label goes in last, so that a name cannot hold the place of another token.
  return { amounts: amounts.slice(0, Math.max(0, columns - percentage.length - 6)), share: percentage, label };
}

function amountsOf(tally: Tally): string {
  const whole = tally.complete && tally.planned > 0 ? `/${formatBytes(tally.planned)}` : '';
  const rate = tally.bytesPerSecond > 0 ? `  ${formatBytes(tally.bytesPerSecond)}/s` : '';
  const left = tally.leftMs === undefined ? '' : `  ${formatDuration(tally.leftMs)} left`;
  const files = tally.filesPlanned > 1 ? `  ${tally.filesDone}/${tally.filesPlanned} files` : '';
  return `${formatBytes(tally.held)}${whole}${rate}${left}${files}`;
}

/** Cuts the front of a name away, since its end tells more. Counts by characters, not by UTF-16 units. */
function shorten(text: string, room: number): string {
  const characters = [...text];
  return characters.length <= room ? text : `…${characters.slice(characters.length - room + 1).join('')}`;
}

/** A line where some seconds have passed since the last one. */
export function createLineView(output: Output, now: () => number = () => performance.now()): View {
  let shown = now();
  return {
    show: (tally) => {
      if (now() - shown < LINE_EVERY_MS) return;
      shown = now();
      const percentage = tally.ratio === undefined ? '' : ` (${Math.floor(tally.ratio * 100)}%)`;
      output.write(`${amountsOf(tally)}${percentage}\n`);
    },
    line: (text) => void output.write(`${text}\n`),
    end: () => undefined,
  };
}

/** Lines that stay, and nothing else. */
export function createStillView(output: Output): View {
  return { show: () => undefined, line: (text) => void output.write(`${text}\n`), end: () => undefined };
}
