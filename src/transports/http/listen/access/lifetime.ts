/** When a listener has served enough: after so many downloads, or so long. */
import { withinTimerMs } from '../../../../concurrency/longest-timer.js';
import { XferError } from '../../../../errors.js';
import { Downloads } from './downloads.js';
import type { AccessOptions } from './options.js';

export class Lifetime {
  /** Counts downloads, where their number is limited. */
  readonly downloads: Downloads | undefined;
  /** Resolves with the reason once nothing more is to be served: in words, or as the error that it is. */
  readonly over: Promise<string | XferError>;
  readonly #onlyOnce: string | undefined;
  #resolve: (reason: string | XferError) => void = () => undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  /** By the clock on the wall, which goes on while a machine sleeps. */
  readonly #endMs: number;

  /**
   * `onlyOnce` is what is served, where its bytes can be read only once: it ends with the one download of it, and where
   * that was cut, or never begun, its bytes are lost. USAGE for a number of downloads, or a time, that is not above 0.
   */
  constructor({ maxDownloads, expiresMs }: Pick<AccessOptions, 'maxDownloads' | 'expiresMs'>, onlyOnce?: string) {
    if (maxDownloads !== undefined && !(Number.isSafeInteger(maxDownloads) && maxDownloads > 0)) {
      throw new XferError('USAGE', 'downloads: at least 1 has to be allowed', { hint: '--max-downloads 5' });
    }
    if (expiresMs !== undefined && !(expiresMs > 0)) {
      throw new XferError('USAGE', 'expiry: not a time to come', { hint: '--expires 1h' });
    }
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#onlyOnce = onlyOnce;
    const most = onlyOnce === undefined ? maxDownloads : 1;
    const made = most === 1 ? 'the one download was made' : `all ${most} downloads were made`;
    const onCut = onlyOnce === undefined ? undefined : () => this.end(cutError(onlyOnce));
    this.downloads = most === undefined ? undefined : new Downloads(most, () => this.end(made), onCut);
    this.#endMs = expiresMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresMs;
    if (expiresMs !== undefined) this.#wait(expiresMs);
  }

  isOver(): boolean {
    if (!this.#isOver && Date.now() >= this.#endMs) this.#expire();
    return this.#isOver;
  }

  /** Nothing more is to be served: in words why, or as the error that it is. */
  end(reason: string | XferError): void {
    this.#isOver = true;
    this.close();
    this.#resolve(reason);
  }

  /** Ends its timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #wait(leftMs: number): void {
    const stepMs = withinTimerMs(leftMs);
    const next = (): void => (leftMs > stepMs ? this.#wait(leftMs - stepMs) : this.#expire());
    this.#timer = setTimeout(next, stepMs).unref();
  }

  #expire(): void {
    if (this.#onlyOnce === undefined) this.end('its time is over');
    // The one download that has begun is the last in any case, and how it ends is how all ends.
    else if (!this.downloads?.underWay) this.end(unwantedError(this.#onlyOnce));
  }
}

function cutError(label: string): XferError {
  return new XferError('DISCONNECTED', `serve ${label}: the download was cut, and what it had not got is lost`, {
    hint: 'start both programs again; a file could be asked for a second time',
  });
}

function unwantedError(label: string): XferError {
  return new XferError('TIMED_OUT', `serve ${label}: its time is over, and nobody has asked for it`);
}
