/**
 * Files that are read and written by the thread that has the other end of the copy. Passing bytes to another thread costs
 * more than a call that has nothing to wait for. A reader's thread still pays where this one has other work, such as a
 * cipher: its bytes are read meanwhile, while those to be written are only there once that work is done. Not for listeners
 * with many clients: a slow disk would keep all of them waiting.
 */
import type { Readable, Writable } from 'node:stream';

/** A stream that keeps this thread busy with little but the system's own calls. */
export interface Light {
  readonly isLight: true;
}

/** A stream of a file that can do its work in this thread. */
export interface AtOnce {
  /** Does so from now on, for as long as the system has the bytes at hand. */
  workAtOnce(): void;
}

const isOfFile = (stream: object): stream is AtOnce => 'workAtOnce' in stream;

/**
 * Lets a file's writer work at once where the bytes come from elsewhere, and its reader where they go to an end that is
 * light. Of two files one is read while the other is written.
 */
export function pairUp(from: Readable, to: Writable): void {
  if (isOfFile(to) && !isOfFile(from)) to.workAtOnce();
  if (isOfFile(from) && (to as Partial<Light>).isLight) from.workAtOnce();
}

/** Longer than a call takes that has nothing to wait for, also on a busy machine. */
const SLOW_CALL_MS = 25;
/** After a slow call, so many are left to a thread before it is tried again. */
const CALLS_TO_A_THREAD = 64;

/** Whether the system has a file's bytes at hand, by how long its calls take. */
export class CallPace {
  #slowCalls = 0;

  /** Whether the next call is to be made in this thread. */
  nextIsQuick(): boolean {
    if (this.#slowCalls === 0) return true;
    this.#slowCalls -= 1;
    return false;
  }

  /** Makes a call, and looks how long it takes. */
  measured<Result>(call: () => Result): Result {
    const startMs = performance.now();
    try {
      return call();
    } finally {
      if (performance.now() - startMs > SLOW_CALL_MS) this.#slowCalls = CALLS_TO_A_THREAD;
    }
  }
}
