/** Bytes held of each file under way, as events at most ten times a second. */
import type { CopyEvent } from './events.js';

const EVERY_MS = 100;

interface Growing {
  readonly path: string;
  readonly size: { readonly size?: number };
  bytes: number;
  saidAtMs: number;
}

/** `File` is what a file under way is known by. */
export class Progress<File> {
  readonly #onEvent: (event: CopyEvent) => void;
  readonly #stop: AbortController;
  readonly #files = new Map<File, Growing>();

  /** What `onEvent` throws aborts `stop`, as its reason; then it is told nothing more. */
  constructor(onEvent: ((event: CopyEvent) => void) | undefined, stop = new AbortController()) {
    this.#onEvent = onEvent ?? (() => {});
    this.#stop = stop;
  }

  /** Bytes that are held of all files under way. */
  get bytes(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  emit(event: CopyEvent): void {
    if (this.#stop.signal.aborted) return;
    try {
      this.#onEvent(event);
    } catch (error) {
      this.#stop.abort(error);
    }
  }

  /** A file begins, or begins again after a failed try, with `heldBytes` there already. */
  start(file: File, path: string, size: number | undefined, heldBytes: number): void {
    const again = this.#files.has(file);
    const growing = {
      path,
      size: size === undefined ? {} : { size },
      bytes: heldBytes,
      saidAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#files.set(file, growing);
    if (again) this.#say(growing);
    else this.emit({ type: 'start', path, heldBytes, ...growing.size });
  }

  /** Further bytes are held. */
  add(file: File, bytes: number): void {
    const growing = this.#files.get(file);
    if (!growing) return;
    growing.bytes += bytes;
    const now = performance.now();
    if (now - growing.saidAtMs < EVERY_MS) return;
    growing.saidAtMs = now;
    this.#say(growing);
  }

  end(file: File): void {
    this.#files.delete(file);
  }

  #say({ path, size, bytes }: Growing): void {
    this.emit({ type: 'progress', path, bytes, ...size });
  }
}
