/** The one byte loop. */

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { throwIfAborted, XferError } from '../errors.js';
import { recyclerOf } from '../streams/buffer-pool.js';
import type { Limiter } from './limiter.js';
import type { PassingHashes } from './passing-hashes.js';

export interface PumpOptions {
  /** For messages. */
  readonly label: string;
  readonly signal: AbortSignal;
  /** Exact number of bytes that must come. Absent: all until the end. */
  readonly expectedBytes?: number;
  readonly limiter?: Limiter | undefined;
  /** Given all that passes. */
  readonly hashes?: Pick<PassingHashes, 'update'> | undefined;
  /** The writer emits 'held' for each piece that the far side acknowledged; else a finished write counts as held. */
  readonly acknowledged: boolean;
  /** Further bytes, in order, that the far side holds. */
  readonly onHeld: (bytes: number) => void;
}

/**
 * Moves all bytes of `from` to `to`, ends `to` and waits for its 'close'. Resolves with the number of bytes. Rejects with
 * SOURCE_CHANGED where more than expected come, TRUNCATED where fewer do, the signal's reason, or either stream's error;
 * both streams are destroyed in every case.
 */
export async function pump(from: Readable, to: Writable, options: PumpOptions): Promise<number> {
  const { signal } = options;
  const stop = (): void => {
    from.destroy(signal.reason as Error);
    to.destroy(signal.reason as Error);
  };
  const broken = new Promise<never>((_, reject) => {
    to.once('error', (error) => {
      from.destroy();
      reject(error);
    });
  });
  broken.catch(() => {});
  from.on('error', () => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    throwIfAborted(signal);
    return await Promise.race([move(from, to, options), broken]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all([destroyed(from), destroyed(to)]);
  }
}

async function move(from: Readable, to: Writable, options: PumpOptions): Promise<number> {
  const { expectedBytes, limiter, hashes, signal, label } = options;
  let heldBytes = 0;
  const held = (bytes: number): void => {
    heldBytes += bytes;
    options.onHeld(bytes);
  };
  if (options.acknowledged) to.on('held', held);
  const recycle = recyclerOf(from);
  let bytes = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    if (limiter) await limiter.take(chunk.length, signal);
    bytes += chunk.length;
    if (expectedBytes !== undefined && bytes > expectedBytes) {
      throw new XferError('SOURCE_CHANGED', `read ${label}: more bytes came than were announced`);
    }
    const hashing = hashes?.update(chunk);
    if (hashing) await hashing;
    const { length } = chunk;
    const taken = (error?: Error | null): void => {
      if (error) return;
      if (!options.acknowledged) held(length);
      recycle?.(chunk);
    };
    if (!to.write(chunk, taken)) await once(to, 'drain');
  }
  if (expectedBytes !== undefined && bytes < expectedBytes) {
    throw new XferError('TRUNCATED', `read ${label}: ${bytes} of ${expectedBytes} bytes came`);
  }
  const closed = once(to, 'close');
  to.end();
  await closed;
  if (bytes > heldBytes) held(bytes - heldBytes);
  return bytes;
}

async function destroyed(stream: Readable | Writable): Promise<void> {
  if (stream.closed) return;
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.on('error', () => {});
  stream.destroy();
  await closed;
}
