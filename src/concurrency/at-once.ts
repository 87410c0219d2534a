/**
 * Files that are read and written by the thread that has the other end of the copy. A thread of its own pays where this one
 * has other work, such as a cipher; where it has none, passing the bytes to another processor costs more than the call.
 */

/** A stream that keeps this thread busy with little but the system's own calls. */
export interface Light {
  readonly isLight: true;
}

/** A stream of a file that can do its work in this thread. */
export interface AtOnce {
  /** Does so from now on, for as long as the system has the bytes at hand. */
  workAtOnce(): void;
}

/** Lets each of two ends work at once where the other is light. */
export function pairUp(one: object, other: object): void {
  if ((other as Partial<Light>).isLight) (one as Partial<AtOnce>).workAtOnce?.();
  if ((one as Partial<Light>).isLight) (other as Partial<AtOnce>).workAtOnce?.();
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
