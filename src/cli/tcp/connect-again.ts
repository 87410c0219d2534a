/** Waits for the other end to be up. */
import { systemCode, XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import { type Role, waitingHint } from './other-end.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 1000;
const NOBODY: readonly unknown[] = ['ECONNREFUSED', 'ENOENT'];

/** Who opens which end. */
interface Opening {
  readonly role: Role;
  readonly to: Location;
  readonly parsed: ParsedArguments;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Opens an end, and tries again where no connection is made, as often as `--retry` says and about once a second. Says so
 * once. Rejects as the last try does.
 */
export async function connectAgain<End>(open: () => Promise<End>, opening: Opening): Promise<End> {
  const { parsed, report, signal } = opening;
  const retries = parsed.wholeNumber('retry', 0) ?? 0;
  if (retries === 0) return open().catch((error: unknown) => Promise.reject(withHint(error, opening)));
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

/** Where nobody listens: what to type there. */
function withHint(error: unknown, { role, to }: Opening): unknown {
  if (!(error instanceof XferError) || error.code !== 'UNREACHABLE' || !NOBODY.includes(systemCode(error.cause))) {
    return error;
  }
  return new XferError(error.code, error.message, { hint: waitingHint(role, to), cause: error.cause });
}
