/** When a listener has served enough: after so many downloads, or so long. */
import { XferError } from '../../../../errors.js';
import { Downloads } from './downloads.js';
import type { AccessOptions } from './options.js';

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Lifetime {
  /** Counts downloads, where their number is limited. */
  readonly downloads: Downloads | undefined;
  /** Resolves with the reason, in words, once nothing more is to be served. */
  readonly over: Promise<string>;
  #resolve: (reason: string) => void = () => undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  /** By the clock on the wall, which goes on while a machine sleeps. */
  readonly #endMs: number;

  /** USAGE for a number of downloads, or a time, that is not above 0. */
  constructor({ maxDownloads, expiresMs }: Pick<AccessOptions, 'maxDownloads' | 'expiresMs'>) {
    if (maxDownloads !== undefined && !(Number.isSafeInteger(maxDownloads) && maxDownloads > 0)) {
      throw new XferError('USAGE', 'downloads: at least 1 has to be allowed', { hint: '--max-downloads 5' });
    }
    if (expiresMs !== undefined && !(expiresMs > 0)) {
      throw new XferError('USAGE', 'expiry: not a time to come', { hint: '--expires 1h' });
    }
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const made = maxDownloads === 1 ? 'the one download was made' : `all ${maxDownloads} downloads were made`;
    this.downloads = maxDownloads === undefined ? undefined : new Downloads(maxDownloads, () => this.#end(made));
    this.#endMs = expiresMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresMs;
    if (expiresMs !== undefined) this.#wait(expiresMs);
  }

  isOver(): boolean {
    if (!this.#isOver && Date.now() >= this.#endMs) this.#expire();
    return this.#isOver;
  }

  /** Ends its timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(leftMs: number): void {
    const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
    const next = (): void => (leftMs > stepMs ? this.#wait(leftMs - stepMs) : this.#expire());
    this.#timer = setTimeout(next, stepMs).unref();
  }

  #expire(): void {
    this.#end('its time is over');
  }

  #end(reason: string): void {
    this.#isOver = true;
    this.close();
    this.#resolve(reason);
  }
}
