/** Waits for the other end to be up. */
import { systemCode, XferError } from '../../errors.js';
import type { Location } from '../../location.js';
import type { ParsedArguments } from '../parsed-arguments.js';
import type { Report } from '../render/report.js';
import { type Role, sealedWaitingHint, waitingHint } from './other-end.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 1000;
/** Another program at that port ends each connection, too. */
const MOST_LOST = 5;
const NOBODY: readonly unknown[] = ['ECONNREFUSED', 'ENOENT'];

/** What `--retry` says; a plain end tries once without it. */
export function retriesOf(parsed: ParsedArguments): number {
  return parsed.wholeNumber('retry', 0) ?? 0;
}

/** Where no --retry says otherwise: about a minute for a sealed end to be up, or to come back. */
const SEALED_RETRIES = 60;

/** What `--retry` says, for an end that holds a key. */
export function sealedRetriesOf(parsed: ParsedArguments): number {
  return parsed.wholeNumber('retry', 0) ?? SEALED_RETRIES;
}

/** Who opens which end. */
interface Opening {
  readonly role: Role;
  readonly to: Location;
  /** How often to try again. */
  readonly retries: number;
  /** The other end is no nc. */
  readonly sealed?: boolean;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Opens an end, and tries again where no connection is made, as often as `retries` says and about once a second; one with a
 * key a few times also where the line is lost before anything is done. Says so once. Rejects as the last try does.
 */
export async function connectAgain<End>(open: () => Promise<End>, opening: Opening): Promise<End> {
  const { retries, sealed, report, signal } = opening;
  if (retries === 0) return open().catch((error: unknown) => Promise.reject(withHint(error, opening)));
  const { retry } = await import('../../copy/retry.js');
  let lost = 0;
  const wasLost = () => {
    lost += 1;
    return lost < MOST_LOST;
  };
  return retry(open, {
    policy: { attempts: retries + 1, firstDelayMs: FIRST_PAUSE_MS, maxDelayMs: LONGEST_PAUSE_MS },
    signal,
    what: 'connect',
    mayRetry: ({ code }) => code === 'UNREACHABLE' || (sealed === true && code === 'DISCONNECTED' && wasLost()),
    onRetry: (attempt, _delayMs, error) => {
      if (attempt === 2) report.onNotice(`${error.message}; waiting for it`);
    },
  });
}

/** Where nobody listens: what to type there. */
function withHint(error: unknown, { role, to, sealed }: Opening): unknown {
  if (!(error instanceof XferError) || error.code !== 'UNREACHABLE' || !NOBODY.includes(systemCode(error.cause))) {
    return error;
  }
  const hint = sealed ? sealedWaitingHint(role, to) : waitingHint(role, to);
  return new XferError(error.code, error.message, { hint, cause: error.cause });
}
