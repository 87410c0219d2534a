/** What is on its way to whom, as the last line of a terminal while it is. */
import { lastPart, printable } from '../../names.js';
import type { Transfer } from '../../transport.js';
import { formatBytes, formatCount } from '../render/format.js';
import { Rate } from '../render/rate.js';
import type { View } from '../render/view.js';
import { columnsOf, shorten } from '../render/width.js';
import type { Output } from '../surroundings.js';

/** What ends sooner is not shown. */
const SHOW_AFTER_MS = 500;
const LOOK_EVERY_MS = 250;
const DRAW_EVERY_MS = 100;
const NAME_COLUMNS = 32;
const CLEAR = '\r\x1b[K';

export interface Shown {
  readonly transfer: Transfer;
  readonly bytesPerSecond: number;
}

/** The line in at most so many columns, the oldest transfer first; empty where there is nothing to show. */
export function transfersLine(shown: readonly Shown[], columns: number): string {
  const parts = shown.map(transferText);
  const rate = shown.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
  const head = parts.length > 1 ? `${formatCount(parts.length, 'transfer')}${rateText(rate)}: ` : '';
  let line = head;
  for (const [index, part] of parts.entries()) {
    const next = `${line}${index > 0 ? ', ' : ''}${part}`;
    if (columnsOf(next) > columns - (index < parts.length - 1 ? 3 : 0))
      return cut(line === head ? next : `${line}, …`, columns);
    line = next;
  }
  return line;
}

function transferText({ transfer, bytesPerSecond }: Shown): string {
  const { path, client, bytes, totalBytes, incoming } = transfer;
  const name = shorten(printable(lastPart(path) || '/'), NAME_COLUMNS);
  const amount = totalBytes ? `${Math.floor((bytes / totalBytes) * 100)}%` : formatBytes(bytes);
  return `${name} ${incoming ? 'from' : 'to'} ${printable(client)} ${amount}${rateText(bytesPerSecond)}`;
}

function rateText(bytesPerSecond: number): string {
  return bytesPerSecond > 0 ? ` ${formatBytes(bytesPerSecond)}/s` : '';
}

function cut(text: string, columns: number): string {
  let line = '';
  for (const character of text) {
    if (columnsOf(line + character) > columns) break;
    line += character;
  }
  return line;
}

/** The line below all others; whatever else is written on the terminal goes through `line`. */
export class LiveLine implements View {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #rates = new WeakMap<Transfer, Rate>();
  #list: () => readonly Transfer[] = () => [];
  #timer: NodeJS.Timeout | undefined;
  #drawn = '';

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /** Looks at what is under way now and then, until `end`. */
  watch(list: () => readonly Transfer[]): void {
    this.#list = list;
    this.#look();
  }

  #look(): void {
    this.draw();
    const everyMs = this.#drawn === '' ? LOOK_EVERY_MS : DRAW_EVERY_MS;
    this.#timer = setTimeout(() => this.#look(), everyMs).unref();
  }

  /** Draws what is under way at this moment. */
  draw(): void {
    const shown: Shown[] = [];
    for (const transfer of this.#list()) {
      const rate = this.#rateOf(transfer);
      rate.sample(transfer.bytes);
      const old = this.#now() - transfer.startMs >= SHOW_AFTER_MS;
      if (old) shown.push({ transfer, bytesPerSecond: rate.bytesPerSecond });
    }
    // The last column stays free: some terminals wrap as soon as it is written.
    const line = transfersLine(shown, (this.#output.columns || 80) - 1);
    if (line === this.#drawn) return;
    this.#output.write(line === '' ? CLEAR : `\r${line}\x1b[K`);
    this.#drawn = line;
  }

  #rateOf(transfer: Transfer): Rate {
    const known = this.#rates.get(transfer);
    if (known) return known;
    const rate = new Rate(this.#now);
    this.#rates.set(transfer, rate);
    return rate;
  }

  show(): void {}

  /** Writes a whole line that stays, here or to another output of the same terminal. */
  line(text: string, output: Output = this.#output): void {
    const away = output.isTTY === true && this.#drawn !== '';
    if (away) this.#output.write(CLEAR);
    output.write(`${text}\n`);
    if (away) this.#output.write(this.#drawn);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#list = () => [];
    this.draw();
  }
}
