const WINDOW_MS = 5000;
const SAMPLE_EVERY_MS = 100;

/** Below this nothing can be said. */
const LEAST_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** How fast a number of bytes grows, over the last seconds. */
export class Rate {
  readonly #now: () => number;
  readonly #samples: Sample[] = [];
  #bytes = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** So many there are now. */
  sample(bytes: number): void {
    const atMs = this.#now();
    const last = this.#samples.at(-1);
    if (last && atMs - last.atMs < SAMPLE_EVERY_MS && this.#samples.length > 1) this.#samples.pop();
    this.#samples.push({ atMs, bytes });
    this.#bytes = bytes;
    this.#forget(atMs);
  }

  /** Over the last seconds up to now; 0 where nothing can be said yet. */
  get bytesPerSecond(): number {
    const atMs = this.#now();
    this.#forget(atMs);
    const first = this.#samples[0];
    if (!first || atMs - first.atMs < LEAST_MS) return 0;
    return Math.max(0, ((this.#bytes - first.bytes) / (atMs - first.atMs)) * 1000);
  }

  /** How long ago the last sample was; 0 where there is none. */
  get silentMs(): number {
    const last = this.#samples.at(-1);
    return last ? this.#now() - last.atMs : 0;
  }

  #forget(atMs: number): void {
    while (this.#samples.length > 1 && atMs - (this.#samples[1] as Sample).atMs > WINDOW_MS) this.#samples.shift();
  }
}
