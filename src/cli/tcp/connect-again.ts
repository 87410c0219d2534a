/** Waits for the other end to be up. */
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 1000;

/**
 * Opens an end, and tries again where no connection is made, as often as `--retry` says and about once a second. Says so
 * once. Rejects as the last try does.
 */
export async function connectAgain<End>(
  open: () => Promise<End>,
  parsed: ParsedArguments,
  report: Report,
  signal: AbortSignal,
): Promise<End> {
  const retries = parsed.wholeNumber('retry', 0) ?? 0;
  if (retries === 0) return open();
  const { retry } = await import('../../copy/retry.js');
  return retry(open, {
    policy: { attempts: retries + 1, firstDelayMs: FIRST_PAUSE_MS, maxDelayMs: LONGEST_PAUSE_MS },
    signal,
    what: 'connect',
    mayRetry: ({ code }) => code === 'UNREACHABLE',
    onRetry: (attempt, _delayMs, error) => {
      if (attempt === 2) report.onNotice(`${error.message}; waiting for it`);
    },
  });
}
