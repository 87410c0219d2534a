/** A small file in one piece: one read, one write. Streams, a draft and a journal would cost more than its bytes. */
import { createHash } from 'node:crypto';
import { throwIfAborted, XferError } from '../errors.js';
import type { DigestAlgorithm, Sink, Source } from '../transport.js';
import { beforeGoodbye } from './goodbye.js';
import type { Step } from './plan.js';
import { prove, statedDigests } from './proof.js';
import type { TransferContext, TransferResult } from './transfer.js';

const WHOLE_BYTES = 64 << 10;

type ReadWhole = NonNullable<Source['readWhole']>;
type Put = NonNullable<Sink['put']>;

/** Copies the file where it is small and both ends can; else undefined, and nothing was done. Rejects as `transferFile` does. */
export function transferWhole(step: Step, context: TransferContext): Promise<TransferResult> | undefined {
  const { source, entry } = step;
  const { sink, options } = context;
  const small = entry.size !== undefined && entry.size <= WHOLE_BYTES;
  const proves = options.verify !== 'sha256' || sink.capabilities.provesWhole === true;
  if (!small || !proves || !source.readWhole || !sink.put || context.isNoted(step)) return undefined;
  const read = source.readWhole.bind(source);
  const put = sink.put.bind(sink);
  context.onStart(step, 0);
  return context.headway.retry(() => attempt(step, context, read, put), {
    policy: options.retry,
    signal: context.scope.signal,
    what: `copy ${entry.path || source.name}`,
    mayRetry: () => source.capabilities.replay,
    onRetry: (count, delayMs, error) => context.onRetry(step, count, delayMs, error),
  });
}

async function attempt(
  { entry, source, path }: Step,
  { scope, limiter, options, run }: TransferContext,
  read: ReadWhole,
  put: Put,
): Promise<TransferResult> {
  const bytes = await read(entry, scope);
  if (bytes.length !== entry.size) {
    const code = bytes.length < (entry.size ?? 0) ? 'TRUNCATED' : 'SOURCE_CHANGED';
    throw new XferError(code, `read ${entry.path || source.name}: ${bytes.length} of ${entry.size} bytes came`);
  }
  const stated = await statedDigests(source, entry, options, scope);
  const hexOf = (algorithm: DigestAlgorithm) => createHash(algorithm).update(bytes).digest('hex');
  const proven = await prove(stated, hexOf, entry.path || source.name, scope);
  if (limiter) await limiter.take(bytes.length, scope.signal);
  throwIfAborted(scope.signal);
  const ofRun = run();
  const target = { ...entry, path, ...(ofRun === undefined ? {} : { run: ofRun }) };
  const digest = await beforeGoodbye(put(target, bytes, options.preserve === true, scope), scope);
  const done = { bytes: bytes.length, resumedBytes: 0 };
  if (!proven) return digest === undefined ? { ...done, verified: 'size' } : { ...done, verified: 'sha256', digest };
  const { algorithm, hex, statedBy } = proven;
  return { ...done, verified: algorithm, statedBy, ...(algorithm === 'sha256' ? { digest: hex } : {}) };
}
