import type { Scope } from '../transport.js';

/** Who waits on each signal: one listener for all, since thousands of requests may share a signal. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `react` once when the signal is aborted, at once where it was already. The answer stops that, and is to be
 * called when the wait is over.
 */
export function onAbort(signal: AbortSignal, react: () => void): () => void {
  if (signal.aborted) {
    react();
    return () => undefined;
  }
  const reactions = waiting.get(signal) ?? listen(signal);
  reactions.add(react);
  return () => void reactions.delete(react);
}

function listen(signal: AbortSignal): Set<() => void> {
  const reactions = new Set<() => void>();
  const fire = () => {
    waiting.delete(signal);
    const all = [...reactions];
    reactions.clear();
    for (const react of all) react();
  };
  waiting.set(signal, reactions);
  signal.addEventListener('abort', fire, { once: true });
  return reactions;
}

/** Waits no longer than the signal allows; what is waited for goes on. Rejects as it does, or with the signal's reason. */
export async function abortable<T>(promise: Promise<T>, { signal }: Scope): Promise<T> {
  if (signal.aborted) throw signal.reason;
  let free = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    free = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    free();
  }
}
