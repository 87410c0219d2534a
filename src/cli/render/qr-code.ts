/** A QR code as text. */
import { encode } from 'uqr';
import type { Output, Surroundings } from '../surroundings.js';

/** Light modules around the code (ISO/IEC 18004, 9.1, asks for four; two are what every reader needs). */
const BORDER = 2;

/**
 * With what it is drawn. `colours`: black on white, whatever the terminal's own are. `light`, `dark`: blocks for the light
 * or the dark modules in the terminal's own colour, for a dark or a light background. `ascii`: as `colours`, without a
 * character beyond ASCII, for a terminal that is not in UTF-8; `plain`: two `#` for each dark module.
 */
export type Ink = 'colours' | 'light' | 'dark' | 'ascii' | 'plain';

/** What an output can show. */
export function inkOf(output: Output, env: Surroundings['env'], platform: NodeJS.Platform): Ink {
  const colours = output.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR;
  // Node itself writes to a console of Windows in UTF-16.
  const unicode = platform === 'win32' || /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
  if (colours) return unicode ? 'colours' : 'ascii';
  if (!unicode) return 'plain';
  // As `foreground;background` or `foreground;default;background`, where the terminal says it: 7 and 15 are light.
  return /;(?:7|15)$/.test(env.COLORFGBG ?? '') ? 'dark' : 'light';
}

export interface QrText {
  readonly text: string;
  /** How wide it is. */
  readonly columns: number;
}

export function qrLines(content: string, ink: Ink): QrText {
  const { data, size } = encode(content, { ecc: 'L', border: BORDER });
  const twoWide = ink === 'ascii' || ink === 'plain';
  const lines = twoWide ? data.map((row) => wideRow(row, ink)) : pairs(data).map(([a, b]) => halfBlocks(a, b, ink));
  return { text: lines.join('\n'), columns: twoWide ? size * 2 : size };
}

/** Two rows of modules for each line of text; below an odd last one comes a light one. */
function pairs(data: readonly boolean[][]): [boolean[], boolean[]][] {
  const result: [boolean[], boolean[]][] = [];
  for (let at = 0; at < data.length; at += 2) {
    const upper = data[at] as boolean[];
    result.push([upper, data[at + 1] ?? upper.map(() => false)]);
  }
  return result;
}

function halfBlocks(upper: boolean[], lower: boolean[], ink: Ink): string {
  const drawn = ink === 'light' ? (dark: boolean) => !dark : (dark: boolean) => dark;
  const text = upper.map((dark, at) => {
    const [above, below] = [drawn(dark), drawn(lower[at] as boolean)];
    return above ? (below ? '█' : '▀') : below ? '▄' : ' ';
  });
  return ink === 'colours' ? inColours(text.join('')) : text.join('');
}

function wideRow(row: boolean[], ink: Ink): string {
  if (ink === 'plain') return row.map((dark) => (dark ? '##' : '  ')).join('');
  return `${row.map((dark) => (dark ? '\x1b[40m  ' : '\x1b[107m  ')).join('')}\x1b[0m`;
}

/** Black on bright white: of the 16 colours, since every terminal has them. */
function inColours(text: string): string {
  return `\x1b[30;107m${text}\x1b[0m`;
}
