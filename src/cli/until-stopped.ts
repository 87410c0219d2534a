/** What a command that serves does once it serves. */
import type { Listener } from '../transport.js';
import { formatCount } from './render/format.js';
import type { Report } from './render/report.js';

/** For a listener that does not know what is under way. */
const GRACE_MS = 5000;
/** The listener itself cuts a connection on which nothing moves. */
const MOST_GRACE_MS = 10 * 60_000;

/**
 * Rejects with the signal's reason, once the transfers under way have ended, and says that it waits for them; or with the
 * listener's own fault.
 */
export async function untilStopped(listener: Listener, signal: AbortSignal, report: Report): Promise<void> {
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  const end = await Promise.race([aborted, listener.closed]);
  if (end !== 'aborted') return;
  const transfers = listener.transfers?.();
  if (transfers && transfers.length > 0) {
    const what = formatCount(transfers.length, 'transfer');
    const record = { type: 'stopping', transfers: transfers.length };
    report.tell(`waiting for ${what} to end; Ctrl-C again to cut ${transfers.length === 1 ? 'it' : 'them'}`, record);
  }
  await listener.close({ graceMs: transfers ? MOST_GRACE_MS : GRACE_MS });
  throw signal.reason;
}
