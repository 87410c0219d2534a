/** Events of a copy -> where it stands. */
import type { CopyEvent } from '../../copy/index.js';
import { Rate } from './rate.js';

export class Tally {
  /** Bytes that the far side holds. */
  held = 0;
  /** Bytes of all files that were found so far. */
  planned = 0;
  filesPlanned = 0;
  filesDone = 0;
  /** The whole source was walked, so `planned` is final. */
  complete = false;
  /** The file that something was last heard of. */
  path = '';
  /** Bytes that an earlier run had left, which tell nothing of how fast this one is. */
  #found = 0;
  readonly #byPath = new Map<string, number>();
  readonly #rate: Rate;

  constructor(now: () => number = () => performance.now()) {
    this.#rate = new Rate(now);
  }

  take(event: CopyEvent): void {
    if (event.type === 'plan') {
      this.filesPlanned = event.files;
      this.planned = event.bytes;
      this.complete = event.complete;
    } else if (event.type === 'start') {
      this.path = event.path;
      this.#found += event.heldBytes;
      this.#move(event.path, event.heldBytes);
    } else if (event.type === 'progress') {
      this.path = event.path;
      this.#move(event.path, event.bytes);
    } else if (event.type === 'finish') {
      this.#move(event.path, event.bytes);
      this.#byPath.delete(event.path);
      this.filesDone++;
    }
  }

  /** Over the last seconds up to now; 0 where nothing can be said yet. */
  get bytesPerSecond(): number {
    return this.#rate.bytesPerSecond;
  }

  /** How long nothing was heard of any file; 0 where none has started. */
  get silentMs(): number {
    return this.#rate.silentMs;
  }

  /** Undefined where the size or the rate is not known. */
  get leftMs(): number | undefined {
    const rate = this.bytesPerSecond;
    return this.complete && rate > 0 && this.planned >= this.held
      ? ((this.planned - this.held) / rate) * 1000
      : undefined;
  }

  /** From 0 to 1, and 1 only where everything is held; undefined where the size is not known. */
  get ratio(): number | undefined {
    if (!this.complete || this.planned === 0) return undefined;
    return Math.min(1, this.held / this.planned);
  }

  #move(path: string, bytes: number): void {
    this.held += bytes - (this.#byPath.get(path) ?? 0);
    this.#byPath.set(path, bytes);
    this.#rate.sample(this.held - this.#found);
  }
}
