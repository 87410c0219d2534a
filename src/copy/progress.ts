/** Bytes held of each file under way, as events at most ten times a second. */
import type { CopyEvent } from './events.js';
import type { Step } from './plan.js';

const EVERY_MS = 100;

export class Progress {
  readonly #onEvent: (event: CopyEvent) => void;
  readonly #files = new Map<Step, { bytes: number; saidAtMs: number }>();

  constructor(onEvent: ((event: CopyEvent) => void) | undefined) {
    this.#onEvent = onEvent ?? (() => {});
  }

  emit(event: CopyEvent): void {
    this.#onEvent(event);
  }

  /** A file begins, or begins again after a failed try, with `heldBytes` there already. */
  start(step: Step, heldBytes: number): void {
    const again = this.#files.has(step);
    this.#files.set(step, { bytes: heldBytes, saidAtMs: 0 });
    if (again) this.#say(step, heldBytes);
    else this.emit({ type: 'start', path: step.path || step.source.name, heldBytes, ...sizeOf(step) });
  }

  /** Further bytes are held. */
  add(step: Step, bytes: number): void {
    const file = this.#files.get(step);
    if (!file) return;
    file.bytes += bytes;
    const now = performance.now();
    if (now - file.saidAtMs < EVERY_MS) return;
    file.saidAtMs = now;
    this.#say(step, file.bytes);
  }

  end(step: Step): void {
    this.#files.delete(step);
  }

  #say(step: Step, bytes: number): void {
    this.emit({ type: 'progress', path: step.path || step.source.name, bytes, ...sizeOf(step) });
  }
}

function sizeOf(step: Step): { size?: number } {
  return step.entry.size === undefined ? {} : { size: step.entry.size };
}
