/** Puts what was measured into a table that reads as text and as Markdown. */
import type { Outcome, Row, Sample } from './measure.js';

/** The middle of some numbers, or undefined where one is missing. */
export function median(numbers: readonly (number | undefined)[]): number | undefined {
  const sorted = numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0 || sorted.length < numbers.length) return undefined;
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

const HEADINGS = ['', 'seconds', 'MiB/s', 'speed', 'to best', 'CPU s', 'peak MiB'];
const WIDTHS = [29, 8, 8, 7, 7, 7, 8];

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, at) =>
    at === 0 ? cell.padEnd(WIDTHS[at] as number) : cell.padStart(WIDTHS[at] as number),
  );
  return `| ${padded.join(' | ')} |`;
}

const shown = (number: number | undefined, digits: number) => (number === undefined ? '-' : number.toFixed(digits));
const medianOf = (outcome: Outcome, key: keyof Sample) => median(outcome.samples.map((sample) => sample[key]));

const ratio = (peerSeconds: number | undefined, seconds: number | undefined) =>
  peerSeconds === undefined || seconds === undefined ? '-' : `${shown(peerSeconds / seconds, 2)}x`;

/**
 * A heading and a line for each program. `speed` is relative to the first program that is not xfer, and `to best` to the
 * fastest of those.
 */
export function formatRow(row: Row, outcomes: readonly Outcome[]): string {
  const peers = outcomes.filter(({ label }) => !/\bxfer\b/.test(label));
  const peerSeconds = peers.map((peer) => medianOf(peer, 'seconds')).filter((seconds) => seconds !== undefined);
  const bestSeconds = peerSeconds.length === 0 ? undefined : Math.min(...peerSeconds);
  const runs = outcomes[0]?.samples.length ?? 0;
  const lines = outcomes.map((outcome) => {
    const seconds = medianOf(outcome, 'seconds');
    const rate = seconds === undefined || row.bytes === 0 ? undefined : row.bytes / 2 ** 20 / seconds;
    return line([
      outcome.label,
      shown(seconds, seconds !== undefined && seconds < 10 ? 3 : 1),
      shown(rate, rate !== undefined && rate < 10 ? 1 : 0),
      ratio(peerSeconds[0], seconds),
      ratio(bestSeconds, seconds),
      shown(medianOf(outcome, 'cpuSeconds'), 2),
      shown(medianOf(outcome, 'peakMiB'), 0),
    ]);
  });
  const rule = `|${WIDTHS.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const note = row.note === undefined ? [] : [row.note, ''];
  return [`### ${row.title} (median of ${runs})`, '', ...note, line(HEADINGS), rule, ...lines, ''].join('\n');
}
