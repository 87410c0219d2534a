/** Whether what a copy is told can be done. */
import { AMOUNT, COUNT, COUNT_OR_ENDLESS, checkKinds, DELAY, type Kinds, oneOf, TEXT, TEXTS } from '../option-rules.js';
import type { CopyOptions } from './options.js';
import type { RetryPolicy } from './retry.js';

const KINDS: Kinds<CopyOptions> = {
  filesInFlight: COUNT,
  lanes: COUNT,
  blockBytes: COUNT,
  limitBytesPerSecond: AMOUNT,
  verify: oneOf('size', 'sha256'),
  overwrite: oneOf('always', 'never', 'newer', 'shorter'),
  exclude: TEXTS,
  include: TEXTS,
  journalDirectory: TEXT,
};

const RETRY: Kinds<RetryPolicy> = { attempts: COUNT_OR_ENDLESS, firstDelayMs: DELAY, maxDelayMs: DELAY };

/** USAGE for the first option that is there and cannot be followed, with what it may be. */
export function checkOptions(options: CopyOptions): void {
  checkKinds('copy', options, KINDS);
  checkKinds('copy', options.retry, RETRY, 'retry');
}
