/** Events of a copy -> where it stands. */
import type { CopyEvent } from '../../copy/index.js';

const WINDOW_MS = 5000;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

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
  readonly #byPath = new Map<string, number>();
  readonly #samples: Sample[] = [];
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  take(event: CopyEvent): void {
    if (event.type === 'plan') {
      this.filesPlanned = event.files;
      this.planned = event.bytes;
      this.complete = event.complete;
    } else if (event.type === 'start') {
      this.path = event.path;
      this.#sample();
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
    const atMs = this.#now();
    this.#forget(atMs);
    const first = this.#samples[0];
    if (!first || atMs - first.atMs < 200) return 0;
    return Math.max(0, ((this.held - first.bytes) / (atMs - first.atMs)) * 1000);
  }

  /** How long nothing was heard of any file; 0 where none has started. */
  get silentMs(): number {
    const last = this.#samples.at(-1);
    return last ? this.#now() - last.atMs : 0;
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
    this.#sample();
  }

  #sample(): void {
    const atMs = this.#now();
    const last = this.#samples.at(-1);
    if (last && atMs - last.atMs < 100 && this.#samples.length > 1) this.#samples.pop();
    this.#samples.push({ atMs, bytes: this.held });
    this.#forget(atMs);
  }

  #forget(atMs: number): void {
    while (this.#samples.length > 1 && atMs - (this.#samples[1] as Sample).atMs > WINDOW_MS) this.#samples.shift();
  }
}
