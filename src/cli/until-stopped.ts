/** What a command that serves does once it serves. */
import type { Listener } from '../transport.js';

const GRACE_MS = 5000;

/** Rejects with the signal's reason, once the transfers under way had their time; or with the listener's own fault. */
export async function untilStopped(listener: Listener, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  const end = await Promise.race([aborted, listener.closed]);
  if (end !== 'aborted') return;
  await listener.close({ graceMs: GRACE_MS });
  throw signal.reason;
}
