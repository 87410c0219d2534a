/** The end of a copy that is stopped while the other end answers no more. */
import { onAbort } from '../concurrency/on-abort.js';
import type { Scope } from '../transport.js';

/** A person who pressed Ctrl-C on a dead line is not to wait until it counts as lost; a round trip fits in many times. */
const LONGEST_GOODBYE_MS = 3000;

/**
 * Waits for the work, no longer than so once the signal is aborted; the work goes on. Rejects as the work does, or then with
 * the signal's reason.
 */
export async function beforeGoodbye<T>(work: Promise<T>, { signal }: Scope): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let free = (): void => undefined;
  const enough = new Promise<never>((_, reject) => {
    free = onAbort(signal, () => {
      timer = setTimeout(() => reject(signal.reason), LONGEST_GOODBYE_MS);
    });
  });
  try {
    return await Promise.race([work, enough]);
  } finally {
    free();
    clearTimeout(timer);
  }
}
