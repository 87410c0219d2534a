/** The one retry loop. Tries are counted since the last progress. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withinTimerMs } from '../concurrency/longest-timer.js';
import { throwIfAborted, toXferError, type XferError } from '../errors.js';

export interface RetryPolicy {
  /** Tries without any progress before the error is final; 1 never tries again. */
  readonly attempts: number;
  /** Wait before the second try; doubled for each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, firstDelayMs: 200, maxDelayMs: 10_000 };

export interface RetryOptions {
  /** What differs from `DEFAULT_RETRY`. */
  readonly policy: Partial<RetryPolicy> | undefined;
  readonly signal: AbortSignal;
  /** For the message of an error that is not an XferError. */
  readonly what: string;
  /** Grows while work is done; a higher value than at the last failure starts the count anew. Absent: all or nothing is done. */
  progress?(): number;
  /** Absent: whatever may pass is tried again. */
  mayRetry?(error: XferError): boolean;
  onRetry(attempt: number, delayMs: number, error: XferError): void;
}

/** Runs `attempt` until it succeeds, may not be tried again, or the signal stops it. Rejects with an XferError or the signal's reason. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, progress = () => 0, mayRetry = () => true } = options;
  const policy = { ...DEFAULT_RETRY, ...options.policy };
  let tries = 0;
  let reached = progress();
  for (;;) {
    throwIfAborted(signal);
    try {
      return await attempt();
    } catch (thrown) {
      throwIfAborted(signal);
      const error = toXferError(thrown, options.what);
      if (progress() > reached) tries = 0;
      reached = progress();
      tries += 1;
      if (tries >= policy.attempts || !error.retryable || !mayRetry(error)) throw error;
      const delayMs = delayBefore(tries, policy, error);
      options.onRetry(tries + 1, delayMs, error);
      await sleep(delayMs, undefined, { signal }).catch(() => throwIfAborted(signal));
    }
  }
}

/** Exponential, with up to half of it taken off at random so that many clients do not come back together. */
function delayBefore(tries: number, policy: RetryPolicy, error: XferError): number {
  const delayMs = withinTimerMs(Math.min(policy.firstDelayMs * 2 ** (tries - 1), policy.maxDelayMs));
  return Math.round(Math.max(delayMs * (1 - Math.random() / 2), error.retryAfterMs ?? 0));
}
